/** A chunk ends early only when it has become this much larger than wanted: one that is nearly done is better finished. */
const TOLERANCE = 2;
/** A longer rest would keep a transaction idle for nothing. */
const MAX_REST_MS = 30_000;

/** What one chunk may take, and the part of the time in which it may keep the server at work. */
export type ChunkLimits = { bytes: number; seconds: number; workShare: number };

/** Measures a chunk while it is read: tells whether it should end at the next mark, and how long to rest there. */
export class ChunkBudget {
  readonly #limits: ChunkLimits;
  readonly #now: () => number;
  readonly #startedAt: number;
  #workedSince: number;
  #bytes = 0;

  constructor(limits: ChunkLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
    this.#startedAt = now();
    this.#workedSince = this.#startedAt;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  isUsed(): boolean {
    const seconds = (this.#now() - this.#startedAt) / 1000;
    return this.#bytes >= this.#limits.bytes * TOLERANCE || seconds >= this.#limits.seconds;
  }

  /** How long to rest for the work since the last rest, in milliseconds; the next work is counted from its end. */
  takeRestMs(): number {
    const { workShare } = this.#limits;
    const now = this.#now();
    const restMs = Math.min(((now - this.#workedSince) * (1 - workShare)) / workShare, MAX_REST_MS);
    this.#workedSince = now + restMs;
    return restMs;
  }
}
