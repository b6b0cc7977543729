import { ConnectorError, resolveReferences } from '@fjord/core';
import type { PasswordSettings } from '@fjord/replication/connection';
import type { ConnectionOptions } from './connection-options.ts';

export type TlsSettings = ConnectionOptions['tls'];

/** All that is needed to connect, whether it came as URI or as single options. Times are in milliseconds. */
export type ConnectionSettings = PasswordSettings & {
  host: string;
  port: number;
  user: string;
  tls: TlsSettings;
  connectTimeoutMs: number;
  keepAliveMs: number;
};

const DEFAULT_KEEP_ALIVE_SECONDS = 30;
// Tokens of the clouds live from 15 minutes (Amazon RDS) to an hour.
const DEFAULT_PASSWORD_MINUTES = 10;
const DEFAULT_PORT = 3306;

type Secrets = { uri: string | undefined; password: string | undefined };

/** Reads the options of a connection, with files of secrets as they are now. `config_invalid` names what is missing or contradicts itself. */
export function settingsOf(options: ConnectionOptions): ConnectionSettings {
  const { uri, password } = resolveReferences({ uri: options.uri, password: options.password }).config as Secrets;
  if (uri !== undefined) return fromUri(uri, options, password);
  const { host, port, user } = options;
  if (host === undefined || user === undefined) {
    const missing = Object.entries({ host, user }).flatMap(([name, value]) => (value ? [] : [name]));
    throw invalid(`needs ${missing.map((name) => `\`${name}\``).join(', ')}, or \`uri\``);
  }
  return { ...common(options, password), host, port, user };
}

function common(
  options: ConnectionOptions,
  password: string | undefined,
): Omit<ConnectionSettings, 'host' | 'port' | 'user'> {
  const { passwordCommand: command, passwordMinutes = DEFAULT_PASSWORD_MINUTES } = options;
  if (password !== undefined && command !== undefined) throw invalid('has both `password` and `passwordCommand`');
  return {
    password,
    passwordCommand: command && { command, keepMs: passwordMinutes * 60_000 },
    tls: options.tls,
    connectTimeoutMs: options.connectTimeoutSeconds * 1000,
    keepAliveMs: (options.keepAliveSeconds ?? DEFAULT_KEEP_ALIVE_SECONDS) * 1000,
  };
}

/** Words of MySQL's own clients for how a connection is encrypted (MySQL manual, 6.2.5); PREFERRED may send in the clear. */
const MODES: Record<string, TlsSettings['mode'] | undefined> = {
  DISABLED: 'disable',
  REQUIRED: 'require',
  VERIFY_CA: 'verify-ca',
  VERIFY_IDENTITY: 'verify-full',
};

function fromUri(uri: string, options: ConnectionOptions, separate: string | undefined): ConnectionSettings {
  for (const name of ['host', 'user'] as const) {
    if (options[name] !== undefined) throw invalid(`has both \`uri\` and \`${name}\``);
  }
  const address = URL.canParse(uri) ? new URL(uri) : undefined;
  if (!address || !['mysql:', 'mariadb:'].includes(address.protocol) || address.hostname === '') {
    throw invalid('has a `uri` that is not mysql://user@host:port?parameter=value');
  }
  const [user, password] = [decode(address.username), decode(address.password)];
  if (user === '') throw invalid('has a `uri` that names no user');
  if (password !== '' && separate !== undefined) throw invalid('has a password twice, in `uri` and alone');
  return {
    ...common(options, password === '' ? separate : password),
    host: address.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: address.port === '' ? DEFAULT_PORT : Number(address.port),
    user,
    tls: tlsOf(address.searchParams, options.tls),
  };
}

function tlsOf(parameters: URLSearchParams, fallback: TlsSettings): TlsSettings {
  const known = new Set(['ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key']);
  const unknown = [...parameters.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) throw invalid(`has a \`uri\` with parameters that are not offered: ${unknown.join(', ')}`);
  const word = parameters.get('ssl-mode');
  const mode = word === null ? fallback.mode : MODES[word.toUpperCase()];
  if (mode === undefined) throw invalid(`has a \`uri\` with ssl-mode=${word}; take ${Object.keys(MODES).join(', ')}`);
  const files = {
    caFile: parameters.get('ssl-ca') ?? fallback.caFile,
    certFile: parameters.get('ssl-cert') ?? fallback.certFile,
    keyFile: parameters.get('ssl-key') ?? fallback.keyFile,
    keyPassphrase: fallback.keyPassphrase,
  };
  return { mode, ...Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a `uri` with a % that is not followed by two hexadecimal digits; write %25 for it');
  }
}

const invalid = (fault: string) => new ConnectorError('config_invalid', `The source's connection ${fault}.`);
