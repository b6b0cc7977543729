import {
  forbidBesideUri,
  invalidConnection,
  missingOptions,
  onePassword,
  readSecrets,
  type SharedSettings,
  sharedSettings,
} from '@fjord/replication/connection';
import type { ConnectionOptions, SshTunnelOptions, TargetSession } from './connection-options.ts';
import { type Endpoint, parseConnectionUri } from './connection-uri.ts';

/** How a connection is encrypted; paths are of PEM files. */
export type TlsSettings = ConnectionOptions['tls'] & {
  crlFile?: string;
  minVersion?: string;
  maxVersion?: string;
  isDirect?: boolean;
};

/** All that is needed to connect, whether it came as URI or as single options. Times are in milliseconds. */
export type ConnectionSettings = SharedSettings<TlsSettings> & {
  endpoints: Endpoint[];
  database: string;
  user: string;
  sshTunnel: SshTunnelOptions | undefined;
  targetSession: TargetSession;
  applicationName: string;
  /** Settings for the server's session, as `-c name=value`. */
  serverOptions: string | undefined;
  /** Whether the server is to send its write-ahead log. */
  sendsLog?: boolean;
};

/** Reads the options of a connection, with files of secrets as they are now. `config_invalid` names what is missing or contradicts itself. */
export function settingsOf(options: ConnectionOptions): ConnectionSettings {
  const { uri, password } = readSecrets(options);
  if (uri !== undefined) return fromUri(uri, options, password);
  const { host, database, user } = options;
  if (host === undefined || database === undefined || user === undefined) {
    throw missingOptions({ host, database, user });
  }
  const endpoints = host.split(',').map((name) => ({ host: name.trim(), port: options.port }));
  return { ...common(options, password), endpoints, database, user };
}

function common(
  options: ConnectionOptions,
  password: string | undefined,
): Omit<ConnectionSettings, 'endpoints' | 'database' | 'user'> {
  return {
    ...sharedSettings(options, password),
    sshTunnel: options.sshTunnel,
    targetSession: options.targetSession ?? 'any',
    applicationName: options.applicationName,
    serverOptions: undefined,
  };
}

/** Parameters that need nothing here: the driver has no such choice, or all connections of a load must reach the same server anyway. */
const WITHOUT_EFFECT = new Set(
  `client_encoding fallback_application_name gssdelegation gsslib keepalives_count keepalives_interval krbsrvname load_balance_hosts
  sslcertmode sslcompression sslsni tcp_user_timeout min_protocol_version max_protocol_version`.split(/\s+/),
);

function fromUri(uri: string, options: ConnectionOptions, separate: string | undefined): ConnectionSettings {
  forbidBesideUri({ host: options.host, database: options.database, user: options.user });
  const { endpoints, parameters } = parseConnectionUri(uri);
  const take = takerOf(parameters);
  for (const name of ['host', 'hostaddr', 'port', ...WITHOUT_EFFECT]) parameters.delete(name);
  const [user, password, database] = [take('user'), take('password'), take('dbname')];
  if (user === undefined) throw invalidConnection('has a `uri` that names no user');
  const settings: ConnectionSettings = {
    ...common(options, onePassword(password, separate)),
    endpoints,
    user,
    database: database ?? user,
    tls: tlsOf(take, options.tls),
    serverOptions: take('options'),
  };
  takeSession(take, settings);
  const unknown = [...parameters.keys()];
  if (unknown.length > 0)
    throw invalidConnection(`has a \`uri\` with parameters that are not offered: ${unknown.join(', ')}`);
  return settings;
}

type Take = (name: string) => string | undefined;

/** Takes parameters out of the list, so that at the end it holds those that nobody wanted. An empty one counts as absent. */
function takerOf(parameters: Map<string, string>): Take {
  return (name) => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === '' ? undefined : value;
  };
}

const TARGETS: Record<string, TargetSession | undefined> = {
  any: 'any',
  'read-write': 'read-write',
  'read-only': 'read-only',
  primary: 'primary',
  standby: 'standby',
  'prefer-standby': 'prefer-standby',
};

function takeSession(take: Take, settings: ConnectionSettings): void {
  const target = take('target_session_attrs');
  if (target !== undefined) settings.targetSession = TARGETS[target] ?? refuse('target_session_attrs', target);
  const timeout = takeSeconds(take, 'connect_timeout');
  // 0 is libpq's word for no limit; here there always is one.
  if (timeout) settings.connectTimeoutMs = timeout * 1000;
  const idle = takeSeconds(take, 'keepalives_idle');
  if (idle) settings.keepAliveMs = idle * 1000;
  const keepAlives = take('keepalives');
  if (keepAlives !== undefined && keepAlives !== '1') refuse('keepalives', keepAlives);
  settings.applicationName = take('application_name') ?? settings.applicationName;
  const gss = take('gssencmode');
  if (gss !== undefined && gss !== 'disable' && gss !== 'prefer') refuse('gssencmode', gss);
}

function takeSeconds(take: Take, name: string): number | undefined {
  const text = take(name);
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : refuse(name, text);
}

function tlsOf(take: Take, fallback: ConnectionOptions['tls']): TlsSettings {
  const root = take('sslrootcert');
  const caFile = root === 'system' ? undefined : (root ?? fallback.caFile);
  const negotiation = take('sslnegotiation');
  if (negotiation !== undefined && negotiation !== 'direct' && negotiation !== 'postgres') {
    refuse('sslnegotiation', negotiation);
  }
  const binding = take('channel_binding');
  if (binding !== undefined && !isBinding(binding)) refuse('channel_binding', binding);
  const files = {
    caFile,
    certFile: take('sslcert') ?? fallback.certFile,
    keyFile: take('sslkey') ?? fallback.keyFile,
    keyPassphrase: take('sslpassword') ?? fallback.keyPassphrase,
    crlFile: take('sslcrl'),
    minVersion: take('ssl_min_protocol_version'),
    maxVersion: take('ssl_max_protocol_version'),
    channelBinding: binding !== undefined && isBinding(binding) ? binding : fallback.channelBinding,
  };
  const given = Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
  return { ...given, isDirect: negotiation === 'direct', mode: modeOf(take('sslmode'), root, fallback.mode) };
}

const isBinding = (text: string) => text === 'prefer' || text === 'require' || text === 'disable';

/** Where a CA is named, libpq takes `require` for `verify-ca` (manual, 34.19.1 Client Verification of Server Certificates). */
function modeOf(
  mode: string | undefined,
  root: string | undefined,
  fallback: TlsSettings['mode'],
): TlsSettings['mode'] {
  switch (mode) {
    case undefined:
      return fallback;
    case 'require':
      return root === undefined ? 'require' : 'verify-ca';
    case 'verify-full':
    case 'verify-ca':
    case 'disable':
      return mode;
    default:
      throw invalidConnection(
        `has a \`uri\` with sslmode=${mode}, which may send in the clear; take disable, require or verify-full`,
      );
  }
}

function refuse(name: string, value: string): never {
  throw invalidConnection(`has a \`uri\` with ${name}=${value}, which is not offered`);
}
