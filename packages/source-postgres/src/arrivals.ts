import type { Lsn } from './position.ts';

/** Finer than this no age is told. */
const STEP_MS = 1000;

/** Remembers when the log had come how far, as far as that was not acknowledged yet. */
export class Arrivals {
  #steps: { lsn: Lsn; atMs: number }[] = [];

  /** The log has come up to here. */
  note(lsn: Lsn, nowMs: number): void {
    const last = this.#steps.at(-1);
    if (last && nowMs - last.atMs < STEP_MS) last.lsn = lsn > last.lsn ? lsn : last.lsn;
    else if (!last || lsn > last.lsn) this.#steps.push({ lsn, atMs: nowMs });
  }

  /** For how many seconds the oldest of what came has waited to be acknowledged; 0 if all is. */
  age(acknowledged: Lsn, nowMs: number): number {
    this.#steps = this.#steps.filter(({ lsn }) => lsn > acknowledged);
    const [oldest] = this.#steps;
    return oldest ? (nowMs - oldest.atMs) / 1000 : 0;
  }
}
