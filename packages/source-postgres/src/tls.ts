import { readFile } from 'node:fs/promises';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { ConnectorError } from '@fjord/core';
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

async function ownCertificate({ certFile, keyFile, keyPassphrase }: TlsSettings): Promise<ConnectionOptions> {
  if (certFile === undefined && keyFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined) {
    const [given, missing] = certFile === undefined ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
    throw new ConnectorError('config_invalid', `The option tls.${given} needs tls.${missing} beside it.`);
  }
  return {
    cert: await readPem(certFile, 'tls.certFile'),
    key: await readPem(keyFile, 'tls.keyFile'),
    ...(keyPassphrase !== undefined && { passphrase: keyPassphrase }),
  };
}

async function readPem(path: string, option: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConnectorError('config_invalid', `The file "${path}" of option ${option} cannot be read.`, { cause });
  });
}
