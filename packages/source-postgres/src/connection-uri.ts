import { ConnectorError } from '@fjord/core';

/** A server to try: `host` is its name (or the folder of its socket), `address` where it really is if that was said too (hostaddr). */
export type Endpoint = { host: string; port: number; address?: string };

/** What a connection URI says: its servers, and its parameters by libpq's names, `dbname`, `user` and `password` among them. */
export type ConnectionUri = { endpoints: Endpoint[]; parameters: Map<string, string> };

const DEFAULT_PORT = 5432;
const URI = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const HOST = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/;

/**
 * Parses a connection URI of libpq in all its forms: several hosts, IPv6 in brackets, percent-encoding, hosts and all else as parameters
 * (manual, 34.1.1.2 Connection URIs). `config_invalid` says what is wrong, and quotes nothing that may be secret.
 */
export function parseConnectionUri(uri: string): ConnectionUri {
  const parts = URI.exec(uri);
  if (!parts) throw invalid('must have the form postgresql://user@host:port/database?parameter=value');
  const [, userinfo, hosts = '', database, query] = parts;
  const parameters = parseParameters(query);
  const colon = userinfo?.indexOf(':') ?? -1;
  const own: [string, string | undefined][] = [
    ['user', colon < 0 ? userinfo : userinfo?.slice(0, colon)],
    ['password', colon < 0 ? undefined : userinfo?.slice(colon + 1)],
    ['dbname', database],
  ];
  for (const [name, value] of own) if (value && !parameters.has(name)) parameters.set(name, decode(value));
  return { endpoints: parseEndpoints(hosts, parameters), parameters };
}

function parseParameters(query: string | undefined): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of (query ?? '').split('&').filter((text) => text !== '')) {
    const [name = '', value, ...rest] = pair.split('=');
    if (value === undefined || rest.length > 0) throw invalid('has a parameter that is not `name=value`');
    parameters.set(decode(name), decode(value));
  }
  // As JDBC spells it; libpq takes it too.
  if (parameters.get('ssl') === 'true') {
    parameters.delete('ssl');
    parameters.set('sslmode', 'require');
  }
  return parameters;
}

/** The lists `host`, `hostaddr` and `port` of the parameters win over the hosts before the path; one port counts for all. */
function parseEndpoints(hosts: string, parameters: Map<string, string>): Endpoint[] {
  const written = hosts.split(',').map(parseHost);
  const names = parameters.get('host')?.split(',') ?? written.map(({ host }) => host);
  const addresses = parameters.get('hostaddr')?.split(',');
  const ports = parameters.get('port')?.split(',') ?? (parameters.has('host') ? [''] : written.map(({ port }) => port));
  const count = Math.max(names.length, addresses?.length ?? 0);
  if (addresses && names.some((name) => name !== '') && addresses.length !== names.length) {
    throw invalid('has another number of hostaddr than of hosts');
  }
  if (ports.length !== 1 && ports.length !== count) throw invalid('has another number of ports than of hosts');
  return Array.from({ length: count }, (_, index) => {
    const address = addresses?.[index] ?? '';
    const host = names[index] || address;
    if (!host) throw invalid('names no host');
    const port = parsePort((ports.length === 1 ? ports[0] : ports[index]) ?? '');
    return { host, port, ...(address !== '' && { address }) };
  });
}

function parseHost(text: string): { host: string; port: string } {
  const parts = HOST.exec(text);
  if (!parts) throw invalid('has a host that is not `name:port`; an IPv6 address stands in brackets');
  const [, host = '', port = ''] = parts;
  return { host: decode(host.startsWith('[') ? host.slice(1, -1) : host), port };
}

function parsePort(text: string): number {
  const port = text === '' ? DEFAULT_PORT : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid('has a port that is not a number up to 65535');
  return port;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a % that is not followed by two hexadecimal digits; write %25 for it');
  }
}

const invalid = (fault: string) => new ConnectorError('config_invalid', `The option uri ${fault}.`);
