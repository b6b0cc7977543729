import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Authorization } from './authorization.ts';
import type { SigV4Options } from './options.ts';

/** Signs requests with AWS Signature Version 4; keys that expire are replaced by AWS's own chain. */
export async function signRequests(options: SigV4Options): Promise<Authorization> {
  const { region, service } = options;
  const signer = new SignatureV4({ region, service, credentials: await credentialsOf(options), sha256: Sha256 });
  return {
    async authorize({ method, url, headers, body }) {
      const signed = await signer.sign({
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port !== '' && { port: Number(url.port) }),
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { ...headers, host: url.host },
        body,
      });
      // fetch sets the host itself and refuses to be told.
      const { host: _host, ...rest } = signed.headers;
      return rest;
    },
    renew: () => false,
  };
}

async function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: SigV4Options) {
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  }
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return defaultProvider();
}

type Bytes = string | ArrayBuffer | ArrayBufferView;

/** Node's SHA-256 in the shape that the signer asks for. */
class Sha256 {
  #hash;
  readonly #secret: Bytes | undefined;

  constructor(secret?: Bytes) {
    this.#secret = secret;
    this.#hash = newHash(secret);
  }

  update(data: Bytes): void {
    this.#hash.update(toBuffer(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = newHash(this.#secret);
  }
}

function newHash(secret: Bytes | undefined) {
  return secret === undefined ? createHash('sha256') : createHmac('sha256', toBuffer(secret));
}

function toBuffer(data: Bytes): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}
