import { SpillFile, type SpilledPiece } from '../partition/spill-file.ts';

/** Rows that wait in memory, over all streams of a process. */
export type HeldMemory = { bytes: number; readonly maxBytes: number };

type Body = { readonly held: readonly Uint8Array[] } | { readonly spilled: SpilledPiece };

/** What happened to a stream, in order. `chunksBefore` is how many chunks were done by then, since the process began. */
export type QueuedEvent = { readonly chunksBefore: number } & (
  | { readonly type: 'rows'; readonly version: number; readonly bytes: number; readonly body: Body }
  | { readonly type: 'truncate'; readonly position: string }
);

/** Batches of changes that wait for the state that covers them and its commit: in memory up to a bound, beyond it in a file without a name. */
export class ChangeQueue implements AsyncDisposable {
  readonly #memory: HeldMemory;
  #spill = new SpillFile();
  #events: QueuedEvent[] = [];

  constructor(memory: HeldMemory) {
    this.#memory = memory;
  }

  get length(): number {
    return this.#events.length;
  }

  async addRows(body: readonly Uint8Array[], place: { version: number; chunksBefore: number }): Promise<void> {
    const bytes = body.reduce((sum, { length }) => sum + length, 0);
    const isHeld = this.#memory.bytes + bytes <= this.#memory.maxBytes;
    if (isHeld) this.#memory.bytes += bytes;
    const kept = isHeld ? { held: body } : { spilled: await this.#spill.append(body) };
    this.#events.push({ type: 'rows', bytes, body: kept, ...place });
  }

  add(event: Exclude<QueuedEvent, { type: 'rows' }>): void {
    this.#events.push(event);
  }

  /** Moves all events of another queue behind those of this one. */
  async addAll(other: ChangeQueue, chunksBefore: number): Promise<void> {
    for (const event of other.#events) {
      if (event.type !== 'rows') continue;
      const body = await other.read(event);
      await this.addRows(body, { version: event.version, chunksBefore });
    }
    await other.clear();
  }

  /** The first `count` events. */
  first(count: number): readonly QueuedEvent[] {
    return this.#events.slice(0, count);
  }

  /** The Arrow stream of a batch. */
  async read({ body }: Extract<QueuedEvent, { type: 'rows' }>): Promise<readonly Uint8Array[]> {
    return 'held' in body ? body.held : [await this.#spill.read(body.spilled)];
  }

  /** Forgets the first `count` events. */
  async forget(count: number): Promise<void> {
    this.#release(this.#events.splice(0, count));
    await this.#emptySpill();
  }

  /** Forgets all events but the first `count`. */
  async keepFirst(count: number): Promise<void> {
    this.#release(this.#events.splice(count));
    await this.#emptySpill();
  }

  clear(): Promise<void> {
    return this.keepFirst(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release(this.#events.splice(0));
    await this.#spill[Symbol.asyncDispose]();
  }

  #release(events: readonly QueuedEvent[]): void {
    for (const event of events) if (event.type === 'rows' && 'held' in event.body) this.#memory.bytes -= event.bytes;
  }

  /** Its disk space goes back once nothing of it is waited for. */
  async #emptySpill(): Promise<void> {
    if (this.#events.some((event) => event.type === 'rows' && 'spilled' in event.body)) return;
    const old = this.#spill;
    this.#spill = new SpillFile();
    await old[Symbol.asyncDispose]();
  }
}
