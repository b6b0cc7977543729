import { IcebergError } from '../../errors.ts';
import { parseExactJson, stringifyExactJson } from '../../exact-json.ts';
import { type Authorization, openAuthorization } from './authorization.ts';
import type { RestCatalogOptions } from './options.ts';
import { fetchPatiently } from './patient-fetch.ts';

/** A JSON object as it came. */
export type Json = Readonly<Record<string, unknown>>;

/** One call of the REST catalog. */
export interface RestCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the server's address, percent-encoded: `v1/config`; or a whole URL. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the call may be made twice: by default all but POST may. */
  readonly isRepeatable?: boolean;
}

/** An answer other than success, or none (status 0). */
export class RestFailure extends Error {
  override readonly name = 'RestFailure';
  readonly status: number;
  /** The exception that the server names, such as `NoSuchTableException`. */
  readonly type: string;
  /** Whether the call, or an earlier attempt at it, may have been carried out nevertheless. */
  readonly isDoubtful: boolean;

  constructor(message: string, facts: { status: number; type: string; isDoubtful: boolean; cause?: unknown }) {
    super(message, { cause: facts.cause });
    this.status = facts.status;
    this.type = facts.type;
    this.isDoubtful = facts.isDoubtful;
  }
}

/** Answers that say that the server understood and will not: the same call will end in the same way. */
const REFUSALS = new Set([400, 401, 403, 406, 419, 422]);

/** The error of this library for an answer: `catalog_refused` or `catalog_failed`, with whatever text before the server's own. */
export function restError(failure: RestFailure, before = ''): IcebergError {
  const code = REFUSALS.has(failure.status) ? 'catalog_refused' : 'catalog_failed';
  return new IcebergError(code, `${before}${failure.message}`, { cause: failure });
}

/** Answers that a fresh token cures (419: the REST spec's AuthenticationTimeoutResponse). */
const UNAUTHORIZED = new Set([401, 419]);

/** Speaks HTTP with one server: authorization, retries, exact integers, and failures by their kind. */
export class RestClient {
  readonly uri: string;
  readonly #options: RestCatalogOptions;
  #authorization: Promise<Authorization> | undefined;

  constructor(options: RestCatalogOptions) {
    this.#options = options;
    this.uri = options.uri.replace(/\/+$/, '');
  }

  /** Makes a call and returns the answer's JSON, an empty object if there is none. Throws RestFailure. */
  async call(call: RestCall): Promise<Json> {
    const url = new URL(/^https?:/.test(call.path) ? call.path : `${this.uri}/${call.path}`);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    const attempts: Attempts = { isDoubtful: false };
    const authorization = await (this.#authorization ??= openAuthorization(this.#options));
    let response = await this.#fetch(url, call, attempts);
    if (UNAUTHORIZED.has(response.status) && authorization.renew()) response = await this.#fetch(url, call, attempts);
    const text = await response.text();
    if (response.ok) return text === '' ? {} : asJson(text);
    throw failureOf(response, text, { url, ...attempts });
  }

  async #fetch(url: URL, call: RestCall, attempts: Attempts): Promise<Response> {
    const { method } = call;
    const body = call.body === undefined ? undefined : stringifyExactJson(call.body);
    const plain = {
      ...this.#options.headers,
      ...call.headers,
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const authorization = await (this.#authorization ??= openAuthorization(this.#options));
    const request = { method, url, headers: plain, ...(body !== undefined && { body }) };
    const headers = () => authorization.authorize(request);
    const onDoubt = () => {
      attempts.isDoubtful = true;
    };
    const policy = { isRepeatable: call.isRepeatable ?? method !== 'POST', onDoubt };
    try {
      return await fetchPatiently(url, { method, headers, ...(body !== undefined && { body }) }, policy);
    } catch (cause) {
      // Without a token nothing was sent, unless an attempt before was.
      if (!(cause instanceof IcebergError) || !attempts.isDoubtful) throw cause;
      throw new RestFailure(cause.message, { status: 0, type: 'NoAnswer', isDoubtful: true, cause });
    }
  }
}

/** What is known of a call's attempts so far. */
interface Attempts {
  isDoubtful: boolean;
}

function asJson(text: string): Json {
  const value = parseExactJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function failureOf(
  { status }: Response,
  text: string,
  { url, isDoubtful }: { url: URL; isDoubtful: boolean },
): RestFailure {
  const error = errorOf(text);
  const message = typeof error['message'] === 'string' ? error['message'].split('\n', 1)[0] : '';
  const type = typeof error['type'] === 'string' ? error['type'] : '';
  return new RestFailure(`${url.origin} answered ${status} ${type}: ${message}`, { status, type, isDoubtful });
}

function errorOf(text: string): Json {
  try {
    const { error } = asJson(text);
    return typeof error === 'object' && error !== null ? (error as Json) : {};
  } catch {
    return {};
  }
}
