import { isIP, type Socket } from 'node:net';
import { ConnectorError } from '@fjord/core';
import type { Client, ClientConfig } from 'pg';
import type { ConnectionSettings } from './connection-settings.ts';
import type { Endpoint } from './connection-uri.ts';
import { type Target, toConnectorError } from './driver-errors.ts';
import { forgetPassword, ReadingSocket, readPassword } from '@fjord/replication/connection';
import type { Tunnel } from './ssh-tunnel.ts';
import { tlsOptions } from './tls.ts';

/** A driver's connection that is logged in, with what it leads to and the tunnel that ends with it. */
export type OpenClient = { client: Client; target: Target; endpoint: Endpoint; tunnel: Tunnel | undefined };

/** Logs in to one server. A password of a command that has been in use and is refused is asked for once more. */
export async function openClient(settings: ConnectionSettings, endpoint: Endpoint): Promise<OpenClient> {
  const password = await readPassword(settings);
  try {
    return await logIn({ settings, endpoint, password });
  } catch (error) {
    const isRefused = error instanceof ConnectorError && error.code === 'authentication_failed';
    if (!isRefused || !(await forgetPassword(settings, password))) throw error;
    const fresh = await readPassword(settings);
    if (fresh === password) throw error;
    return logIn({ settings, endpoint, password: fresh });
  }
}

type Login = { settings: ConnectionSettings; endpoint: Endpoint; password: string };

async function logIn({ settings, endpoint, password }: Login): Promise<OpenClient> {
  const { database, user, tls } = settings;
  const target = { host: endpoint.host, port: endpoint.port, database, user };
  const [{ Client }, ssl] = await Promise.all([import('pg'), tlsOptions(tls, endpoint.host)]);
  // Last: whatever fails before it leaves no tunnel open.
  const tunnel = await openTunnel(settings, endpoint);
  let client: Client | undefined;
  try {
    client = new Client({ ...clientConfig({ settings, endpoint, password }), ...transport(ssl, { endpoint, tunnel }) });
    if (tls.channelBinding === 'require') requireBinding(client);
    // The error of a connection that broke is that of the query; whoever holds the client may listen too.
    client.on('error', () => undefined);
    await client.connect();
    return { client, target, endpoint: reached(client, endpoint), tunnel };
  } catch (cause) {
    await client?.end().catch(() => undefined);
    await tunnel?.[Symbol.asyncDispose]();
    throw asUnreachable(toConnectorError(tunnel?.fault ?? cause, target), target);
  }
}

/** Nothing was lost where nothing was reached: a firewall, or a port of something else, hangs up like that. */
function asUnreachable(error: ConnectorError, { host, port }: Target): ConnectorError {
  if (error.code !== 'source_connection_lost') return error;
  const message = `The server ${host}:${port} closes connections before anybody is logged in.`;
  return new ConnectorError('source_unreachable', message, { cause: error });
}

async function openTunnel({ sshTunnel, connectTimeoutMs, keepAliveMs }: ConnectionSettings, endpoint: Endpoint) {
  if (sshTunnel === undefined) return undefined;
  const ssh = await import('./ssh-tunnel.ts');
  return ssh.openTunnel(sshTunnel, { endpoint, timeoutMs: connectTimeoutMs, keepAliveMs });
}

function clientConfig({ settings, endpoint, password }: Login): ClientConfig {
  return {
    host: endpoint.address ?? endpoint.host,
    port: endpoint.port,
    database: settings.database,
    user: settings.user,
    // A function, because for an empty or absent password the driver would look into PGPASSWORD and ~/.pgpass.
    password: () => password,
    application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: settings.keepAliveMs,
    ...(settings.serverOptions !== undefined && { options: settings.serverOptions }),
    ...(settings.sendsLog && { replication: 'database' }),
    ...{ sslnegotiation: settings.tls.isDirect && settings.tls.mode !== 'disable' ? 'direct' : 'postgres' },
    ...{ enableChannelBinding: settings.tls.mode !== 'disable' && settings.tls.channelBinding !== 'disable' },
  };
}

type Path = { endpoint: Endpoint; tunnel: Tunnel | undefined };

function transport(ssl: Awaited<ReturnType<typeof tlsOptions>>, { endpoint, tunnel }: Path): ClientConfig {
  const stream = tunnel?.stream;
  if (ssl === false) return { ssl, stream: () => stream ?? new ReadingSocket() };
  // Who is called by an address of his is still to prove his name.
  const servername = isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {};
  // TLS takes the bytes from the socket's handle, past any JavaScript of the socket.
  return { ssl: { ...ssl, ...servername }, ...(stream && { stream: () => stream }) };
}

/** Refuses to log in where the server offers no channel binding, before any proof of the password is sent. */
function requireBinding(client: Client): void {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter & { stream: Socket } };
  let isBound = false;
  const refuse = () =>
    connection.stream.destroy(
      new ConnectorError('tls_failed', 'The server offers no channel binding, which is required.'),
    );
  connection.prependListener('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
    isBound = mechanisms.includes('SCRAM-SHA-256-PLUS');
    if (!isBound) refuse();
  });
  for (const event of ['authenticationOk', 'authenticationCleartextPassword', 'authenticationMD5Password']) {
    connection.prependListener(event, () => {
      if (!isBound) refuse();
    });
  }
}

/** The server by its address: a name may stand for several, and connections that share a snapshot need the same one. */
function reached(client: Client, endpoint: Endpoint): Endpoint {
  const { remoteAddress } = (client as unknown as { connection: { stream: Socket } }).connection.stream;
  return remoteAddress === undefined ? endpoint : { ...endpoint, address: remoteAddress };
}
