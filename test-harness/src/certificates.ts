import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mustRun } from './run-process.ts';
import { findSystemProgram } from './system-program.ts';

/** The PEM files of a certificate and its private key. */
export interface Certificate {
  certFile: string;
  keyFile: string;
}

/** A certificate authority of one's own, in a folder: `certFile` is what clients trust. */
export interface CertificateAuthority extends Certificate {
  /** Issues a certificate for a name (its common name, and its DNS name); `passphrase` encrypts the key. */
  issue(name: string, options?: { passphrase?: string }): Promise<Certificate>;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-sha256'];

/** Makes a certificate authority whose files lie in `folder`, their names beginning with `name`. */
export async function makeCertificateAuthority(folder: string, name: string): Promise<CertificateAuthority> {
  const openssl = await findSystemProgram('openssl', { package: 'openssl' });
  const authority = filesOf(folder, name);
  const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes'];
  await mustRun(openssl, [
    'req',
    '-x509',
    ...KEY,
    ...subject,
    '-keyout',
    authority.keyFile,
    '-out',
    authority.certFile,
  ]);
  return {
    ...authority,
    async issue(subjectName, { passphrase } = {}) {
      const files = filesOf(folder, `${name}-${subjectName}`);
      const request = `${files.certFile}.request`;
      const encryption = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
      const names = ['-subj', `/CN=${subjectName}`, '-addext', `subjectAltName=DNS:${subjectName}`];
      await mustRun(openssl, [
        'req',
        '-new',
        ...KEY,
        ...names,
        ...encryption,
        '-keyout',
        files.keyFile,
        '-out',
        request,
      ]);
      const signing = ['-CA', authority.certFile, '-CAkey', authority.keyFile, '-CAcreateserial', '-days', '2'];
      const extensions = `${request}.extensions`;
      await writeFile(extensions, `subjectAltName=DNS:${subjectName}\n`);
      await mustRun(openssl, [
        'x509',
        '-req',
        '-in',
        request,
        ...signing,
        '-extfile',
        extensions,
        '-out',
        files.certFile,
      ]);
      await chmod(files.keyFile, 0o600);
      return files;
    },
  };
}

function filesOf(folder: string, name: string): Certificate {
  return { certFile: path.join(folder, `${name}.crt`), keyFile: path.join(folder, `${name}.key`) };
}
