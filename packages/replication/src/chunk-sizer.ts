/** Units of a plan that make one chunk, if the table's bytes are those of its rows. Fewer, and a slow chunk could not end early enough. */
const UNITS_PER_CHUNK = 8;
/**
 * The same for a reader that rests: 1 MB is read in some ten milliseconds, which nobody else has to wait for long. Smaller ones would cost both
 * sides more for each row, as caches grow cold between them.
 */
const RESTING_UNITS_PER_CHUNK = 128;
/** A chunk may grow by this factor over the one before it: what is learnt from a few empty pages must not be trusted too far. */
const MAX_GROWTH = 4;
/** The last chunks are not made smaller than this part of the others: each becomes files of its own. */
const SMALLEST_SHARE = 4;

/** Units that make one chunk at first: those of a reader that rests are small, so that work and rest alternate quickly. */
export function unitsPerChunk(workShare: number): number {
  return workShare < 1 ? RESTING_UNITS_PER_CHUNK : UNITS_PER_CHUNK;
}

export type SizeLimits = { bytes: number; seconds: number; readers: number; units: number };

/** Decides how many units the next chunk of a stream takes, so that its measured bytes and time come near the limits. */
export class ChunkSizer {
  readonly #limits: SizeLimits;
  #units: number;

  constructor(limits: SizeLimits) {
    this.#limits = limits;
    this.#units = limits.units;
  }

  /** Units for the next chunk when `waiting` are left: the last ones are shared among the readers, so that all end at about the same time. */
  next(waiting: number): number {
    const share = Math.max(Math.ceil(waiting / this.#limits.readers), Math.ceil(this.#units / SMALLEST_SHARE));
    return Math.min(this.#units, share);
  }

  /** Takes what a chunk of `units` has measured: few bytes (a bloated table) make the next one larger, many or a long time smaller. */
  learn({ units, bytes, seconds }: { units: number; bytes: number; seconds: number }): void {
    if (units === 0) return;
    const byBytes = (units * this.#limits.bytes) / Math.max(bytes, 1);
    const bySeconds = (units * this.#limits.seconds) / Math.max(seconds, 0.001);
    const fitting = Math.floor(Math.min(byBytes, bySeconds, units * MAX_GROWTH));
    // A small last chunk must not shrink what the others have learnt to be right.
    this.#units = Math.max(1, fitting < units ? fitting : Math.max(fitting, this.#units));
  }
}
