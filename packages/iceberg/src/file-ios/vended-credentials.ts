import { IcebergError } from '../errors.ts';
import type { FileIOProperties } from '../file-io.ts';

/** Lent keys are replaced this long before they end: an upload that has begun goes on with the old ones. */
const REPLACE_BEFORE_MS = 5 * 60_000;

/** How long keys are used whose end the catalog does not tell: the shortest life that AWS gives them is 15 minutes. */
const ASSUMED_LIFE_MS = 10 * 60_000;

/** `s3.session-token-expires-at-ms`, `gcs.oauth2.token-expires-at`, `adls.sas-token-expires-at-ms.<account>`. */
const EXPIRY = /^(s3\.session-token|gcs\.oauth2\.token|adls\.sas-token)-expires-at/;

/**
 * The storage options as they are now. Options with a `credentials.uri` hold keys that a REST catalog has lent; shortly before they end
 * they are fetched anew, in whichever thread asks. `credentials.catalog` says how to reach the catalog, `credentials.location` for what.
 */
export function refreshingProperties(properties: FileIOProperties): () => Promise<FileIOProperties> {
  const uri = properties['credentials.uri'];
  if (uri === undefined) return async () => properties;
  let current = properties;
  let replaceAtMs = replaceTime(properties);
  let fetching: Promise<FileIOProperties> | undefined;
  const fetchOnce = () =>
    (fetching ??= fetchCredentials(uri, properties).finally(() => {
      fetching = undefined;
    }));
  return async () => {
    if (Date.now() < replaceAtMs) return current;
    try {
      const lent = await fetchOnce();
      current = { ...properties, ...lent };
      replaceAtMs = replaceTime(current);
    } catch (error) {
      // Keys that are still good bridge a catalog that is away for a moment.
      if (!(Date.now() < expiresAtMs(current))) throw error;
    }
    return current;
  };
}

/** Whether a catalog has lent the keys in these options. */
export function areLent(properties: FileIOProperties): boolean {
  return properties['credentials.uri'] !== undefined;
}

/** When the keys end, in ms since 1970; NaN if that is not known. */
export function expiresAtMs(properties: FileIOProperties): number {
  const times = Object.entries(properties).flatMap(([name, value]) => (EXPIRY.test(name) ? [Number(value)] : []));
  return times.length === 0 ? Number.NaN : Math.min(...times);
}

/** Of the credentials in an answer those whose prefix fits the location best (REST spec: StorageCredential); none if there are none. */
export function credentialsFor(answer: Readonly<Record<string, unknown>>, location: string): Record<string, string> {
  const offered: unknown[] = Array.isArray(answer['storage-credentials']) ? answer['storage-credentials'] : [];
  const fitting = offered.filter(isCredential).filter(({ prefix }) => location.startsWith(prefix));
  const best = fitting.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
  return { ...best?.config };
}

interface StorageCredential {
  readonly prefix: string;
  readonly config: Readonly<Record<string, string>>;
}

function isCredential(value: unknown): value is StorageCredential {
  if (typeof value !== 'object' || value === null || !('prefix' in value) || !('config' in value)) return false;
  return typeof value.prefix === 'string' && typeof value.config === 'object' && value.config !== null;
}

function replaceTime(properties: FileIOProperties): number {
  const endsAtMs = expiresAtMs(properties);
  return Number.isNaN(endsAtMs) ? Date.now() + ASSUMED_LIFE_MS : endsAtMs - REPLACE_BEFORE_MS;
}

async function fetchCredentials(uri: string, properties: FileIOProperties): Promise<Record<string, string>> {
  const { RestClient } = await import('../catalogs/rest/client.ts');
  const client = new RestClient(JSON.parse(properties['credentials.catalog'] ?? '{}'));
  const location = properties['credentials.location'] ?? '';
  try {
    const headers = { 'x-iceberg-access-delegation': 'vended-credentials' };
    const answer = await client.call({ method: 'GET', path: uri, headers });
    return { ...textsOf(answer['config']), ...credentialsFor(answer, location) };
  } catch (cause) {
    throw new IcebergError('storage_failed', `The catalog gave no fresh credentials for ${location}.`, { cause });
  }
}

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry) => typeof entry[1] === 'string'));
}
