import type { BatchMessage, Message } from '@fjord/core';
import type { DataFile } from '@fjord/iceberg';
import type { FileWriter } from './parquet/sink.ts';

/** Rows that came outside of any chunk are kept like one chunk that every state closes. */
const NO_CHUNK = '';

type ChunkFilesParts = {
  /** Opens the files of one chunk; `name` goes into their paths. */
  openFile(name: string): FileWriter;
  /** Deletes files that were finished but never referenced by a commit. */
  deleteFiles(files: DataFile[]): Promise<void>;
};

/** One open chunk. A chunk whose columns change on the way has a writer for each schema version. */
type OpenChunk = { version: number; writer: FileWriter; earlier: FileWriter[] };

/** The files of one stream's chunks: each open chunk has its own, and only those of done chunks may enter a commit (rule 2). */
export class ChunkFiles {
  readonly #parts: ChunkFilesParts;
  readonly #open = new Map<string, OpenChunk>();
  #done: Promise<DataFile[]>[] = [];

  constructor(parts: ChunkFilesParts) {
    this.#parts = parts;
  }

  /** How many chunks are done and not yet taken into a commit. */
  get doneCount(): number {
    return this.#done.length;
  }

  /** Whether any rows are not yet taken into a commit. */
  get hasRows(): boolean {
    return this.#done.length > 0 || this.#open.size > 0;
  }

  /** Writes a batch; resolves when there is room for more. */
  async write(batch: BatchMessage): Promise<void> {
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

  /** Closes the rows outside of chunks, so that the state which follows covers them. */
  coverLooseRows(): void {
    const loose = this.#open.get(NO_CHUNK);
    if (!loose) return;
    this.#open.delete(NO_CHUNK);
    this.#close(loose);
  }

  /** The files of each of the first `count` done chunks, once they are finished. */
  finishedChunks(count: number): Promise<DataFile[][]> {
    return Promise.all(this.#done.slice(0, count));
  }

  /** Forgets the first `count` done chunks: they are committed. */
  forget(count: number): void {
    this.#done = this.#done.slice(count);
  }

  /** Drops open chunks and all done ones but the first `kept`. */
  async discardAllBut(kept: number): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map(abort));
    const dropped = await Promise.allSettled(this.#done.splice(kept));
    await this.#parts.deleteFiles(dropped.flatMap((files) => (files.status === 'fulfilled' ? files.value : [])));
  }

  #close({ writer, earlier }: OpenChunk): void {
    const files = Promise.all([...earlier, writer].map((each) => each.close())).then((each) => each.flat());
    // A failed close is reported by the commit that needs the files; until then it must not count as unhandled.
    files.catch(() => undefined);
    this.#done = [...this.#done, files];
  }
}

async function abort({ writer, earlier }: OpenChunk): Promise<void> {
  await Promise.all([...earlier, writer].map((each) => each.abort()));
}

function chunkKey({ chunk, attempt }: { chunk?: string; attempt?: number }): string {
  return chunk === undefined ? NO_CHUNK : `${chunk}/${attempt ?? 1}`;
}
