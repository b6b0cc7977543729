import { setTimeout as delay } from 'node:timers/promises';
import { IcebergError } from '../../errors.ts';

/** Which faults a request survives. */
export interface RetryPolicy {
  /** Whether the request may be made twice. If not, only an answer that says that nothing was done leads to another try. */
  readonly isRepeatable: boolean;
  /** Called when an attempt ended without telling whether it was carried out. */
  readonly onDoubt?: () => void;
}

/** What is sent; authorization is asked for at each attempt, since tokens and signatures age. */
export interface PatientRequest {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>> | (() => Promise<Record<string, string>>);
  readonly body?: string | URLSearchParams;
}

/** With the waits below: servers that restart are back within this. */
const MAX_ATTEMPTS = 8;

const FIRST_DELAY_MS = 100;

/** Also the longest wait that a server's Retry-After is granted. */
const MAX_DELAY_MS = 30_000;

/** Loading a table with thousands of snapshots takes seconds; what takes this long is stuck. */
const TIMEOUT_MS = 120_000;

const TOO_MANY_REQUESTS = 429;

/** Gateways answer so when the server itself may have worked on. */
const DOUBTFUL = new Set([500, 502, 503, 504]);

/**
 * Fetches, and tries again where that may help: after 429, which says that nothing was done; and if the request is repeatable,
 * after 500 to 504, time-outs and broken connections. Returns the last answer; throws `catalog_failed` if there was none.
 */
export async function fetchPatiently(url: URL, request: PatientRequest, policy: RetryPolicy): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryFetch(url, request);
    const isDoubtful = 'failure' in outcome || DOUBTFUL.has(outcome.response.status);
    if (isDoubtful) policy.onDoubt?.();
    const mayRepeat =
      (isDoubtful && policy.isRepeatable) || ('response' in outcome && outcome.response.status === TOO_MANY_REQUESTS);
    if (!mayRepeat || attempt >= MAX_ATTEMPTS) {
      if ('response' in outcome) return outcome.response;
      throw outcome.failure;
    }
    await delay(waitMs(attempt, 'response' in outcome ? outcome.response : undefined));
  }
}

type Outcome = { readonly response: Response } | { readonly failure: IcebergError };

async function tryFetch(url: URL, { method, headers, body }: PatientRequest): Promise<Outcome> {
  const sent = typeof headers === 'function' ? await headers() : headers;
  try {
    const init = { method, ...(sent && { headers: sent }), ...(body !== undefined && { body }) };
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    // Read here, so that a connection that breaks within the answer counts as no answer.
    const bytes = await response.arrayBuffer();
    const { status, headers: received } = response;
    return { response: new Response(bytes.byteLength === 0 ? null : bytes, { status, headers: received }) };
  } catch (cause) {
    const message = `${url.origin} gave no answer (${reason(cause)}).`;
    return { failure: new IcebergError('catalog_failed', message, { cause }) };
  }
}

function waitMs(attempt: number, response: Response | undefined): number {
  const asked = response?.headers.get('retry-after');
  const seconds = asked ? Number(asked) : Number.NaN;
  const untilMs = asked && Number.isNaN(seconds) ? Date.parse(asked) - Date.now() : seconds * 1000;
  if (untilMs >= 0) return Math.min(untilMs, MAX_DELAY_MS);
  return Math.random() * Math.min(FIRST_DELAY_MS * 2 ** attempt, MAX_DELAY_MS);
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown error';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
