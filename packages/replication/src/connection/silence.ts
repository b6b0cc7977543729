/** The `code` of the error with which a server that says nothing is given up. */
export const SILENT = 'FJORD_SILENT';

/** How much longer than a statement may take the server may be silent: its last word has to travel. */
const GRACE_MS = 10_000;

/** For how long a server that ends its statements after so many seconds may say nothing; undefined where it may take any time. */
export function silenceLimitMs(maxStatementSeconds: number | undefined): number | undefined {
  return maxStatementSeconds === undefined ? undefined : maxStatementSeconds * 1000 + GRACE_MS;
}

/**
 * Watches a wait for the server: calls `giveUp` if nothing is heard for `limitMs`, never if that is undefined. Keep-alives tell only that a
 * machine is there; a proxy or a firewall may answer them and pass nothing on. Call `heard` at each sign of life, and dispose at the end.
 */
export class SilenceWatch implements Disposable {
  readonly #limitMs: number;
  readonly #giveUp: (error: Error) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #wasHeard = false;
  #isOver = false;

  constructor(limitMs: number | undefined, giveUp: (error: Error) => void) {
    this.#limitMs = limitMs ?? 0;
    this.#giveUp = giveUp;
    this.#timer = limitMs === undefined ? undefined : setTimeout(() => this.#ring(), limitMs);
  }

  heard(): void {
    this.#wasHeard = true;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
  }

  #ring(): void {
    // A process that was busy itself finds its timers before what has arrived meanwhile.
    setImmediate(() => {
      if (this.#isOver) return;
      if (!this.#wasHeard) {
        const error = new Error(`the server said nothing for ${Math.round(this.#limitMs / 1000)} seconds`);
        this.#giveUp(Object.assign(error, { code: SILENT }));
        return;
      }
      this.#wasHeard = false;
      this.#timer?.refresh();
    });
  }
}
