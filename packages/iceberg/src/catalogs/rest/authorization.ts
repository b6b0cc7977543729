import type { RestCatalogOptions } from './options.ts';

/** A request before its authorization. */
export interface PlainRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What makes a request one of a known client. */
export interface Authorization {
  /** All headers of a request, those that it came with included. */
  authorize(request: PlainRequest): Promise<Record<string, string>>;
  /** After the server refused: true if the next try may succeed, since what was used is given up. */
  renew(): boolean;
}

/** The authorization that the options ask for: signatures, tokens that are fetched, a token that is given, or none. */
export async function openAuthorization(options: RestCatalogOptions): Promise<Authorization> {
  const { sigv4, credential, token } = options;
  if (sigv4) return (await import('./sigv4.ts')).signRequests(sigv4);
  if (credential !== undefined) return (await import('./oauth2.ts')).fetchTokens({ ...options, credential });
  return {
    authorize: async ({ headers }) => ({
      ...headers,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    }),
    renew: () => false,
  };
}
