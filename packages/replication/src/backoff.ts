import { setTimeout as delay } from 'node:timers/promises';
import { asConnectorError, type ConnectorError } from '@fjord/core';

/** Attempts of one piece of work before its error stands: about a minute in all, in which a server can restart. */
export const MAX_ATTEMPTS = 12;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;

/** Waits before attempt number `attempt` (2, 3, …): twice as long each time, with jitter so that readers do not come back in step. */
export async function waitBeforeAttempt(attempt: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 2));
  await delay(longest * (0.5 + Math.random() / 2), undefined, { signal });
}

export type Retrying = {
  /** How long work that keeps failing is tried before its error stands. */
  retrySeconds: number;
  signal: AbortSignal;
  /** Whether another try may succeed; by default what the error says of itself. */
  isTransient?(error: ConnectorError): boolean;
  /** Called before each further try. */
  onFault(error: ConnectorError, attempt: number): void;
};

/**
 * Does work until it succeeds, until its error is one that no try cures, or for as long as faults may last. The work calls `moved` when it
 * got somewhere: its next fault is then a first one.
 */
export async function retrying<Result>(work: (moved: () => void) => Promise<Result>, how: Retrying): Promise<Result> {
  const { retrySeconds, signal, isTransient = ({ retryable }) => retryable, onFault } = how;
  let attempt = 1;
  let failingSince: number | undefined;
  const moved = () => {
    attempt = 1;
    failingSince = undefined;
  };
  for (;;) {
    try {
      return await work(moved);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asConnectorError(thrown);
      failingSince ??= performance.now();
      if (!isTransient(error) || performance.now() - failingSince >= retrySeconds * 1000) throw error;
      attempt += 1;
      onFault(error, attempt);
      await waitBeforeAttempt(attempt, signal);
    }
  }
}
