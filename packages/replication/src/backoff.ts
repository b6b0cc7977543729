import { setTimeout as delay } from 'node:timers/promises';

/** Attempts of one piece of work before its error stands: about a minute in all, in which a server can restart. */
export const MAX_ATTEMPTS = 12;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;

/** Waits before attempt number `attempt` (2, 3, …): twice as long each time, with jitter so that readers do not come back in step. */
export async function waitBeforeAttempt(attempt: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 2));
  await delay(longest * (0.5 + Math.random() / 2), undefined, { signal });
}
