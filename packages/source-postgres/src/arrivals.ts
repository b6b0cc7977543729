import type { Lsn } from './position.ts';

/** Finer than this no age is told. */
const STEP_MS = 1000;

/** Remembers when the log had come how far, as far as that was not acknowledged yet. */
export class Arrivals {
  #steps: { lsn: Lsn; atMs: number }[] = [];
  #slowestMs: number | undefined;

  /** The log has come up to here. */
  note(lsn: Lsn, nowMs: number): void {
    const last = this.#steps.at(-1);
    if (last && nowMs - last.atMs < STEP_MS) last.lsn = lsn > last.lsn ? lsn : last.lsn;
    else if (!last || lsn > last.lsn) this.#steps.push({ lsn, atMs: nowMs });
  }

  /** A transaction has come that was committed then, by the server's clock. */
  noteTransaction(committedMs: number, nowMs: number): void {
    this.#slowestMs = Math.max(this.#slowestMs ?? 0, nowMs - committedMs);
  }

  /** How many seconds the slowest transaction since the last call took to come; undefined if there was none. */
  takeSlowest(): number | undefined {
    const slowestMs = this.#slowestMs;
    this.#slowestMs = undefined;
    return slowestMs === undefined ? undefined : slowestMs / 1000;
  }

  /** For how many seconds the oldest of what came has waited to be acknowledged; 0 if all is. */
  age(acknowledged: Lsn, nowMs: number): number {
    this.#steps = this.#steps.filter(({ lsn }) => lsn > acknowledged);
    const [oldest] = this.#steps;
    return oldest ? (nowMs - oldest.atMs) / 1000 : 0;
  }
}
