import type { RunContext } from '@fjord/core';
import type { ServerLoad } from './database.ts';
import type { ReplicationOptions } from './options.ts';

/** How often the server is asked: seldom enough to cost nothing, often enough that a replica does not fall behind for long. */
const INTERVAL_MS = 2_000;

type Limits = Pick<ReplicationOptions, 'maxReplicaLagSeconds' | 'maxActiveSessions' | 'minFreeConnections'>;
type Measure = () => Promise<ServerLoad>;

/** Why reading should pause under this load, for the log; undefined when it may go on. */
export function reasonToPause(load: ServerLoad, limits: Limits): string | undefined {
  const { replicaLagSeconds = 0, activeSessions, freeConnections } = load;
  if (replicaLagSeconds > limits.maxReplicaLagSeconds) return 'a replica is behind';
  if (activeSessions > limits.maxActiveSessions) return 'many sessions are at work';
  if (freeConnections < limits.minFreeConnections) return 'few connections are free';
  return undefined;
}

/** Asks the server from time to time how busy it is, and tells readers to pause and to go on. */
export class LoadWatch implements Disposable {
  readonly #measure: Measure;
  readonly #limits: Limits;
  readonly #context: RunContext;
  readonly #listeners = new Set<(isPaused: boolean) => void>();
  #timer: NodeJS.Timeout | undefined;
  #isPaused = false;

  constructor(measure: Measure, limits: Limits, context: RunContext) {
    this.#measure = measure;
    this.#limits = limits;
    this.#context = context;
    this.#schedule();
  }

  /** Calls `listener` with every change, and at once if reading is paused; gives what ends it. */
  subscribe(listener: (isPaused: boolean) => void): () => void {
    this.#listeners.add(listener);
    if (this.#isPaused) listener(true);
    return () => this.#listeners.delete(listener);
  }

  /** Settles when reading may go on. */
  async untilCalm(signal: AbortSignal): Promise<void> {
    while (this.#isPaused && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          end();
          signal.removeEventListener('abort', done);
          resolve();
        };
        const end = this.subscribe((isPaused) => {
          if (!isPaused) done();
        });
        signal.addEventListener('abort', done);
      });
    }
    signal.throwIfAborted();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell(false);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#look(), INTERVAL_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      const load = await this.#measure();
      if (!this.#timer) return;
      const reason = reasonToPause(load, this.#limits);
      if (reason !== undefined && !this.#isPaused) {
        this.#context.log('info', 'reading pauses', { reason, ...load });
      }
      if (reason === undefined && this.#isPaused) this.#context.log('info', 'reading goes on', { ...load });
      this.#tell(reason !== undefined);
    } catch (error) {
      // A server that does not answer stops the readers by itself; they say why.
      this.#context.log('debug', 'the load of the server was not measured', { error: String(error) });
      this.#tell(false);
    }
    if (this.#timer) this.#schedule();
  }

  #tell(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    for (const listener of this.#listeners) listener(isPaused);
  }
}
