import { IcebergError } from '../../errors.ts';
import type { Authorization } from './authorization.ts';
import type { RestCatalogOptions } from './options.ts';
import { type RetryPolicy, fetchPatiently } from './patient-fetch.ts';

/** A token is replaced this long before it ends, or when a tenth of its life is left, whichever is shorter. */
const REPLACE_BEFORE_MS = 60_000;

/** Where the answer does not tell how long a token lives (RFC 6749 recommends that it does). */
const ASSUMED_LIFE_MS = 3_600_000;

/** Asking for a token changes nothing: it may be repeated after any fault. */
const RETRY: RetryPolicy = { isRepeatable: true };

type OAuth2Options = RestCatalogOptions & { readonly credential: string };

interface Token {
  readonly text: string;
  readonly replaceAtMs: number;
}

/** Fetches tokens by the client credentials grant (RFC 6749, 4.4) and replaces them before they end. */
export function fetchTokens(options: OAuth2Options): Authorization {
  let token: Promise<Token> | undefined;
  const current = async (): Promise<string> => {
    const found = await (token ??= fetchToken(options));
    if (Date.now() < found.replaceAtMs) return found.text;
    token = fetchToken(options);
    return (await token).text;
  };
  return {
    async authorize({ headers }) {
      try {
        return { ...headers, authorization: `Bearer ${await current()}` };
      } catch (error) {
        token = undefined;
        throw error;
      }
    },
    renew() {
      token = undefined;
      return true;
    },
  };
}

async function fetchToken(options: OAuth2Options): Promise<Token> {
  const url = new URL(options.oauth2ServerUri ?? `${options.uri.replace(/\/+$/, '')}/v1/oauth/tokens`);
  const askedAtMs = Date.now();
  const response = await fetchPatiently(url, { method: 'POST', body: grant(options) }, RETRY);
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    // The answer may repeat what was sent, so only its code is shown.
    throw new IcebergError(
      response.status < 500 ? 'catalog_refused' : 'catalog_failed',
      `The token server ${url.origin} refused the client credentials (${errorCode(answer) ?? response.status}).`,
    );
  }
  return readToken(answer, askedAtMs, url);
}

function grant({ credential, scope, oauth2Fields }: OAuth2Options): URLSearchParams {
  const colon = credential.indexOf(':');
  return new URLSearchParams({
    ...oauth2Fields,
    grant_type: 'client_credentials',
    ...(colon > 0 && { client_id: credential.slice(0, colon) }),
    client_secret: credential.slice(colon + 1),
    scope: scope ?? 'catalog',
  });
}

function readToken(answer: unknown, askedAtMs: number, url: URL): Token {
  const fields = typeof answer === 'object' && answer !== null ? answer : {};
  if (!('access_token' in fields) || typeof fields.access_token !== 'string') {
    throw new IcebergError('catalog_failed', `The token server ${url.origin} gave no access_token.`);
  }
  const seconds = 'expires_in' in fields ? Number(fields.expires_in) : Number.NaN;
  const lifeMs = seconds > 0 ? seconds * 1000 : ASSUMED_LIFE_MS;
  return { text: fields.access_token, replaceAtMs: askedAtMs + lifeMs - Math.min(REPLACE_BEFORE_MS, lifeMs / 10) };
}

function errorCode(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined;
  return typeof answer.error === 'string' ? answer.error : undefined;
}
