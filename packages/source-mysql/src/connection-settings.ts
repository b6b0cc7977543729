import {
  forbidBesideUri,
  invalidConnection,
  missingOptions,
  onePassword,
  readSecrets,
  type SharedSettings,
  sharedSettings,
} from '@fjord/replication/connection';
import type { ConnectionOptions } from './connection-options.ts';

export type TlsSettings = ConnectionOptions['tls'];

/** All that is needed to connect, whether it came as URI or as single options. Times are in milliseconds. */
export type ConnectionSettings = SharedSettings<TlsSettings> & {
  host: string;
  port: number;
  user: string;
};

const DEFAULT_PORT = 3306;

/** Reads the options of a connection, with files of secrets as they are now. `config_invalid` names what is missing or contradicts itself. */
export function settingsOf(options: ConnectionOptions): ConnectionSettings {
  const { uri, password } = readSecrets(options);
  if (uri !== undefined) return fromUri(uri, options, password);
  const { host, port, user } = options;
  if (host === undefined || user === undefined) {
    throw missingOptions({ host, user });
  }
  return { ...sharedSettings(options, password), host, port, user };
}

/** Words of MySQL's own clients for how a connection is encrypted (MySQL manual, 6.2.5); PREFERRED may send in the clear. */
const MODES: Record<string, TlsSettings['mode'] | undefined> = {
  DISABLED: 'disable',
  REQUIRED: 'require',
  VERIFY_CA: 'verify-ca',
  VERIFY_IDENTITY: 'verify-full',
};

function fromUri(uri: string, options: ConnectionOptions, separate: string | undefined): ConnectionSettings {
  forbidBesideUri({ host: options.host, user: options.user });
  const address = URL.canParse(uri) ? new URL(uri) : undefined;
  if (!address || !['mysql:', 'mariadb:'].includes(address.protocol) || address.hostname === '') {
    throw invalidConnection('has a `uri` that is not mysql://user@host:port?parameter=value');
  }
  const [user, password] = [decode(address.username), decode(address.password)];
  if (user === '') throw invalidConnection('has a `uri` that names no user');
  return {
    ...sharedSettings(options, onePassword(password === '' ? undefined : password, separate)),
    host: address.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: address.port === '' ? DEFAULT_PORT : Number(address.port),
    user,
    tls: tlsOf(address.searchParams, options.tls),
  };
}

function tlsOf(parameters: URLSearchParams, fallback: TlsSettings): TlsSettings {
  const known = new Set(['ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key']);
  const unknown = [...parameters.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw invalidConnection(`has a \`uri\` with parameters that are not offered: ${unknown.join(', ')}`);
  const word = parameters.get('ssl-mode');
  const mode = word === null ? fallback.mode : MODES[word.toUpperCase()];
  if (mode === undefined)
    throw invalidConnection(`has a \`uri\` with ssl-mode=${word}; take ${Object.keys(MODES).join(', ')}`);
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
    throw invalidConnection('has a `uri` with a % that is not followed by two hexadecimal digits; write %25 for it');
  }
}
