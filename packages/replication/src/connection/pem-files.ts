import { readFile } from 'node:fs/promises';
import { ConnectorError } from '@fjord/core';

type CertificateFiles = { certFile?: string; keyFile?: string; keyPassphrase?: string };
type Certificate = { cert?: string; key?: string; passphrase?: string };

/** The certificate to log in with, if files of one are named; `config_invalid` where one of both is missing or cannot be read. */
export async function ownCertificate({ certFile, keyFile, keyPassphrase }: CertificateFiles): Promise<Certificate> {
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

/** The text of a PEM file; `config_invalid` names the option should it be unreadable. */
export async function readPem(path: string, option: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConnectorError('config_invalid', `The file "${path}" of option ${option} cannot be read.`, { cause });
  });
}
