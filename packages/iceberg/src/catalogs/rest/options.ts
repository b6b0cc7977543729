import type { FileIOProperties } from '../../file-io.ts';

/** Options of `openRestCatalog`: plain JSON, so that a worker thread can ask the same catalog for fresh credentials. */
export interface RestCatalogOptions {
  /** The server's address, without `/v1`. */
  readonly uri: string;
  /** Which of the server's warehouses, by its name or location as the server knows it. */
  readonly warehouse?: string;
  /** A bearer token. */
  readonly token?: string;
  /** `client_id:client_secret` for OAuth2's client credentials grant. */
  readonly credential?: string;
  /** Where tokens are asked for: `<uri>/v1/oauth/tokens` unless said. */
  readonly oauth2ServerUri?: string;
  /** Scope of the tokens: `catalog` unless said. */
  readonly scope?: string;
  /** Further fields of the token request, such as `audience` and `resource`. */
  readonly oauth2Fields?: Readonly<Record<string, string>>;
  /** Signs requests with AWS Signature Version 4, as Glue's and S3 Tables' endpoints ask. */
  readonly sigv4?: SigV4Options;
  /** How the catalog may lend access to the storage; `none` if keys of one's own are used. `vended-credentials` unless said. */
  readonly accessDelegation?: 'vended-credentials' | 'none';
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Storage options; those that the catalog gives with a table come before them. See `openFileIO`. */
  readonly io?: FileIOProperties;
}

/** What requests are signed with; without keys AWS's own chain is asked for them. */
export interface SigV4Options {
  readonly region: string;
  /** The signing name: `glue`, `s3tables`, `execute-api`. */
  readonly service: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
}
