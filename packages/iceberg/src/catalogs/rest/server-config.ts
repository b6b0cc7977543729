import type { FileIOProperties } from '../../file-io.ts';
import { type Json, RestClient, RestFailure, restError } from './client.ts';
import type { RestCatalogOptions } from './options.ts';

/** A server as its configuration describes it (REST spec: GET /v1/config). */
export interface RestServer {
  readonly client: RestClient;
  /** Options as the server wants them; what opens the same server in another thread. */
  readonly options: RestCatalogOptions;
  /** Percent-encoded path below the address, up to `namespaces` or `tables`. */
  readonly base: string;
  /** What stands between the levels of a namespace in paths, percent-encoded. */
  readonly separator: string;
  /** Storage options: the server's defaults, the user's, the server's overrides. */
  readonly io: FileIOProperties;
  /** Whether the server promises to carry out a request with a known Idempotency-Key only once. */
  readonly hasIdempotencyKeys: boolean;
  /** Whether the server says that it has an endpoint, given as in `POST /v1/{prefix}/transactions/commit`. */
  has(endpoint: string): boolean;
}

/** The spec's separator of namespace levels: the unit separator, U+001F. */
const SEPARATOR = '%1F';

/** Asks a server for its configuration. Throws `catalog_failed`. */
export async function openRestServer(options: RestCatalogOptions): Promise<RestServer> {
  const first = new RestClient(options);
  const config = await fetchConfig(first, options);
  const defaults = stringsOf(config['defaults']);
  const overrides = stringsOf(config['overrides']);
  const settings = { ...defaults, ...overrides };
  const settled: RestCatalogOptions = {
    ...options,
    ...(overrides['uri'] !== undefined && { uri: overrides['uri'] }),
    ...(overrides['token'] !== undefined && { token: overrides['token'] }),
  };
  const prefix = settings['prefix']?.replaceAll(/^\/+|\/+$/g, '');
  const endpoints = new Set(Array.isArray(config['endpoints']) ? config['endpoints'].map(String) : []);
  return {
    client: settled.uri === options.uri && settled.token === options.token ? first : new RestClient(settled),
    options: settled,
    base: prefix ? `v1/${prefix}` : 'v1',
    separator: settings['namespace-separator'] ?? SEPARATOR,
    io: { ...defaults, ...options.io, ...overrides },
    hasIdempotencyKeys: typeof config['idempotency-key-lifetime'] === 'string',
    has: (endpoint) => endpoints.has(endpoint),
  };
}

/** The text fields of a JSON object. */
export function stringsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

async function fetchConfig(client: RestClient, { warehouse, uri }: RestCatalogOptions): Promise<Json> {
  try {
    return await client.call({
      method: 'GET',
      path: 'v1/config',
      ...(warehouse !== undefined && { query: { warehouse } }),
    });
  } catch (cause) {
    if (!(cause instanceof RestFailure)) throw cause;
    throw restError(cause, `The REST catalog at ${uri} could not be opened: `);
  }
}
