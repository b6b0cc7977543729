import { isIP } from 'node:net';
import { ConnectorError } from '@fjord/core';
import { ownCertificate, readPem } from '@fjord/replication/connection';
import type { SslOptions } from 'mysql2';
import type { TlsSettings } from './connection-settings.ts';

/** What the driver is told of TLS; undefined: send in the clear. A file that cannot be read is `config_invalid`, naming its option. */
export async function tlsOptions(tls: TlsSettings, host: string): Promise<SslOptions | undefined> {
  // A Unix socket does not leave the machine.
  if (tls.mode === 'disable' || host.startsWith('/')) return undefined;
  // The driver holds a certificate against the host's name alone; of an address it would verify nothing that means anything.
  if (tls.mode === 'verify-full' && isIP(host) !== 0) {
    const message = `The option tls.mode is verify-full, which needs the server's name, and host is the address ${host}.`;
    throw new ConnectorError('config_invalid', message, {
      help: 'Give the name in its certificate as `host`, or set `tls.mode: verify-ca`.',
    });
  }
  return {
    ...(await ownCertificate(tls)),
    ...(tls.caFile !== undefined && { ca: await readPem(tls.caFile, 'tls.caFile') }),
    rejectUnauthorized: tls.mode !== 'require',
    verifyIdentity: tls.mode === 'verify-full',
  };
}
