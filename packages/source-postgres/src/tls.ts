import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { ownCertificate, readPem } from '@fjord/replication/connection';
import type { TlsSettings } from './connection-settings.ts';

/** What the driver is told of TLS to `host`; false: send in the clear. A file that cannot be read is `config_invalid`, naming its option. */
export async function tlsOptions(tls: TlsSettings, host: string): Promise<ConnectionOptions | false> {
  // A Unix socket does not leave the machine, and the server offers no TLS on it.
  if (tls.mode === 'disable' || host.startsWith('/')) return false;
  return {
    ...(await ownCertificate(tls)),
    ...(tls.caFile !== undefined && { ca: await readPem(tls.caFile, 'tls.caFile') }),
    ...(tls.crlFile !== undefined && { crl: await readPem(tls.crlFile, 'uri (sslcrl)') }),
    ...(tls.minVersion !== undefined && { minVersion: tls.minVersion as SecureVersion }),
    ...(tls.maxVersion !== undefined && { maxVersion: tls.maxVersion as SecureVersion }),
    // With an address instead of a name, Node checks the certificate against `host`; without it, against "localhost".
    host,
    rejectUnauthorized: tls.mode !== 'require',
    ...(tls.mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}
