import type { BatchMessage, Message } from '@fjord/core';
import type { DataFile } from '@fjord/iceberg';
import type { FileWriter } from './parquet/sink.ts';

/** Rows outside of any chunk that are too many to wait in memory for their state are kept like one chunk that every state closes. */
const NO_CHUNK = '';
/** So much waits for each stream: states that come often share a file, and a source without any needs no memory. */
const MAX_HELD_BYTES = 256 * 1024;

type ChunkFilesParts = {
  /** Opens the files of one chunk; `name` goes into their paths. */
  openFile(name: string): FileWriter;
  /** Deletes files that were finished but never referenced by a commit. */
  deleteFiles(files: DataFile[]): Promise<void>;
};

/** One open chunk. A chunk whose columns change on the way has a writer for each schema version. */
type OpenChunk = { version: number; writer: FileWriter; earlier: FileWriter[] };

/** Files that may enter a commit: of a done chunk, or of rows outside of chunks, to which each state adds until a commit takes them. */
type Done = { finish(): Promise<DataFile[]>; discard(): Promise<void> };
/** Rows outside of chunks that states cover: what was written, one after the other, and the file as it closes. */
type Covered = { version: number; writer: FileWriter; written: Promise<void>; closed: Promise<DataFile[]> | undefined };

/** The files of one stream's chunks: each open chunk has its own, and only those of done chunks may enter a commit (rule 2). */
export class ChunkFiles {
  readonly #parts: ChunkFilesParts;
  readonly #open = new Map<string, OpenChunk>();
  #done: Done[] = [];
  /** Rows outside of chunks that no state covers yet. */
  #held: BatchMessage[] = [];
  #heldBytes = 0;
  #covered: Covered | undefined;

  constructor(parts: ChunkFilesParts) {
    this.#parts = parts;
  }

  /** How many chunks are done and not yet taken into a commit. */
  get doneCount(): number {
    return this.#done.length;
  }

  /** Whether any rows are not yet taken into a commit. */
  get hasRows(): boolean {
    return this.#done.length > 0 || this.#open.size > 0 || this.#held.length > 0;
  }

  /** Writes a batch, or keeps one outside of chunks until a state covers it; resolves when there is room for more. */
  async write(batch: BatchMessage): Promise<void> {
    if (batch.chunk !== undefined || this.#open.has(NO_CHUNK)) return this.#write(batch);
    this.#held.push(batch);
    for (const { byteLength } of batch.body) this.#heldBytes += byteLength;
    if (this.#heldBytes <= MAX_HELD_BYTES) return;
    for (const held of this.#takeHeld()) await this.#write(held);
  }

  async #write(batch: BatchMessage): Promise<void> {
    const key = chunkKey(batch);
    let chunk = this.#open.get(key);
    if (chunk?.version !== batch.schema) {
      const earlier = chunk ? [...chunk.earlier, chunk.writer] : [];
      chunk = { version: batch.schema, writer: this.#parts.openFile(batch.chunk ?? 'rows'), earlier };
      this.#open.set(key, chunk);
    }
    await chunk.writer.write({ rows: batch.rows, body: batch.body });
  }

  /** Ends a chunk: its files count from now on, or are dropped. A chunk without rows has none. */
  async end(message: Message<'CHUNK'>): Promise<void> {
    const key = chunkKey(message);
    const chunk = this.#open.get(key);
    if (!chunk) return;
    this.#open.delete(key);
    if (message.event === 'discard') await abort(chunk);
    else this.#close(chunk);
  }

  /** What came outside of chunks is covered by the state that follows; resolves when there is room for more. */
  coverLooseRows(): Promise<void> {
    const loose = this.#open.get(NO_CHUNK);
    if (loose) {
      this.#open.delete(NO_CHUNK);
      this.#close(loose);
    }
    for (const batch of this.#takeHeld()) this.#cover(batch);
    return this.#covered?.written ?? Promise.resolve();
  }

  /** The files of each of the first `count` done chunks, once they are finished. */
  finishedChunks(count: number): Promise<DataFile[][]> {
    return Promise.all(this.#done.slice(0, count).map((done) => done.finish()));
  }

  /** Forgets the first `count` done chunks: they are committed. */
  forget(count: number): void {
    this.#done = this.#done.slice(count);
  }

  /** Drops open chunks and all done ones but the first `kept`. */
  async discardAllBut(kept: number): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#takeHeld();
    await Promise.all(open.map(abort));
    await Promise.all(this.#done.splice(kept).map((done) => done.discard()));
  }

  #takeHeld(): BatchMessage[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  /** Adds rows to the file of those that are covered, which no commit has taken yet. */
  #cover({ schema, rows, body }: BatchMessage): void {
    let covered = this.#covered;
    if (covered?.version !== schema || covered.closed) {
      covered = {
        version: schema,
        writer: this.#parts.openFile('rows'),
        written: Promise.resolve(),
        closed: undefined,
      };
      this.#covered = covered;
      this.#done = [...this.#done, this.#doneOf(covered)];
    }
    const { writer } = covered;
    covered.written = covered.written.then(() => writer.write({ rows, body }));
    // A failed write is reported by the commit that needs the file, too.
    covered.written.catch(() => undefined);
  }

  #doneOf(covered: Covered): Done {
    const finish = () => {
      covered.closed ??= covered.written.then(() => covered.writer.close());
      return covered.closed;
    };
    const discard = async () => {
      const { closed } = covered;
      if (closed) return this.#delete(closed);
      covered.closed = Promise.resolve([]);
      await covered.written.catch(() => undefined);
      await covered.writer.abort();
    };
    return { finish, discard };
  }

  #close({ writer, earlier }: OpenChunk): void {
    const files = Promise.all([...earlier, writer].map((each) => each.close())).then((each) => each.flat());
    // A failed close is reported by the commit that needs the files; until then it must not count as unhandled.
    files.catch(() => undefined);
    this.#done = [...this.#done, { finish: () => files, discard: () => this.#delete(files) }];
  }

  async #delete(files: Promise<DataFile[]>): Promise<void> {
    await this.#parts.deleteFiles(await files.catch(() => []));
  }
}

async function abort({ writer, earlier }: OpenChunk): Promise<void> {
  await Promise.all([...earlier, writer].map((each) => each.abort()));
}

function chunkKey({ chunk, attempt }: { chunk?: string; attempt?: number }): string {
  return chunk === undefined ? NO_CHUNK : `${chunk}/${attempt ?? 1}`;
}
