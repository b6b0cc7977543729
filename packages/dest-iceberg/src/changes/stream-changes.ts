import { type BatchMessage, type Column, ConnectorError, type Message, type SelectedStream } from '@fjord/core';
import type { DataFile, Table } from '@fjord/iceberg';
import type { ParquetBatch, ParquetPool } from '../parquet/sink.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { ChangeQueue, type HeldMemory, type QueuedEvent } from './change-queue.ts';
import { ChangeRows } from './change-rows.ts';
import { CommitDraft } from './commit-draft.ts';
import { withMetadata } from './copied-rows.ts';
import { DeletedRows } from './deleted-rows.ts';
import type { KeyIndexes } from './key-indexes.ts';
import { tableColumns } from './metadata-columns.ts';
import { RowFinder } from './row-finder.ts';
import { bindSchema, layOutRun, type RunLayout, type StreamSchema } from './run-layout.ts';
import type { OpenedFile } from './run-writer.ts';

/** Bytes of batches that are folded at once, unless there is less memory: this share of it. */
const MOST_RUN_BYTES = 64 * 1024 * 1024;
const RUN_SHARE = 1 / 2;

export type StreamChangesParts = {
  selected: SelectedStream;
  indexes: KeyIndexes;
  memory: HeldMemory;
  pool: ParquetPool;
  openFile(table: Table, layout: RunLayout, content: 'rows' | 'keys'): OpenedFile;
  mayHoldChanges(table: Table, file: DataFile): boolean;
};

/** The done chunks of a commit, in their order; the first of them has the number `first`. */
export type CommittedChunks = { files: readonly (readonly DataFile[])[]; first: number };

/** The table that a commit is made for, and the newest version that it has the columns of: newer ones may come meanwhile. */
export type DraftBase = { table: Table; newest: StreamSchema | undefined };

type RowsEvent = Extract<QueuedEvent, { type: 'rows' }>;

/** What of a stream is written row by row by key, or kept as a history: its changes, or all of its rows where it has no log. */
export class StreamChanges implements AsyncDisposable {
  readonly #parts: StreamChangesParts;
  readonly #queue: ChangeQueue;
  readonly #deleted: DeletedRows;
  readonly #finder: RowFinder;
  readonly #schemas = new Map<number, StreamSchema>();
  /** Rows of chunks that are not done, for a stream without a log. */
  readonly #open = new Map<string, ChangeQueue>();
  #newest: StreamSchema | undefined;
  #handover: Uint8Array | undefined;

  constructor(parts: StreamChangesParts) {
    this.#parts = parts;
    this.#queue = new ChangeQueue(parts.memory);
    this.#deleted = new DeletedRows(parts.indexes);
    this.#finder = new RowFinder({ indexes: parts.indexes, deleted: this.#deleted });
  }

  /** How many events have come and are not committed. */
  get eventCount(): number {
    return this.#queue.length;
  }

  /** The newest version of the stream's columns that its table has a place for. */
  get newest(): StreamSchema | undefined {
    return this.#newest;
  }

  /** The columns that the stream's table must have, and the key that identifies its rows. */
  tableFor({ columns, primaryKey }: Message<'SCHEMA'>): { columns: Column[]; primaryKey: string[] } {
    const { selected } = this.#parts;
    if (primaryKey.length === 0 && selected.writeMode === 'upsert' && !selected.changes) {
      throw new ConnectorError('config_invalid', `Stream ${selected.stream} has no primary key to upsert by.`, {
        stream: selected.stream,
        help: 'Choose another write mode for it: append or overwrite.',
      });
    }
    return { columns: tableColumns(selected, columns), primaryKey: this.#isHistory ? [] : primaryKey };
  }

  /** Takes a version of the stream's columns, of which the table has all: only now may rows be laid out for it, which happens meanwhile. */
  addSchema(schema: Message<'SCHEMA'>, table: Table): void {
    this.#newest = bindSchema(table, schema);
    this.#schemas.set(schema.version, this.#newest);
  }

  /** A batch of the first copy with the metadata columns of the table. */
  copied(batch: BatchMessage): ParquetBatch {
    const { columns } = this.#schemaOf(batch.schema);
    return withMetadata(batch, { selected: this.#parts.selected, columns });
  }

  /** Whether the stream's batches of a kind come here, and not into the files of chunks. */
  takes(kind: BatchMessage['kind']): boolean {
    return kind === 'changes' || this.#parts.selected.changes === undefined;
  }

  async write(batch: BatchMessage, chunksBefore: number): Promise<void> {
    const place = { version: this.#schemaOf(batch.schema).version, chunksBefore };
    if (batch.chunk === undefined) return this.#queue.addRows(batch.body, place);
    const key = chunkKey(batch.chunk, batch.attempt);
    const open = this.#open.get(key) ?? new ChangeQueue(this.#parts.memory);
    this.#open.set(key, open);
    return open.addRows(batch.body, place);
  }

  async endChunk({ chunk, attempt, event }: Message<'CHUNK'>, chunksBefore: number): Promise<void> {
    const open = this.#open.get(chunkKey(chunk, attempt));
    if (!open) return;
    this.#open.delete(chunkKey(chunk, attempt));
    if (event === 'done') await this.#queue.addAll(open, chunksBefore);
    await open[Symbol.asyncDispose]();
  }

  /** The copy is complete: an insert beyond this place of the log is a new row. */
  handOver(position: string): void {
    this.#handover = Buffer.from(position, 'hex');
  }

  truncate(position: string, chunksBefore: number): void {
    if (this.#parts.selected.changes?.deletes === 'ignore' && !this.#isHistory) return;
    this.#queue.add({ type: 'truncate', position, chunksBefore });
  }

  /** Drops what no state covers: open chunks, and all events but the first `kept`. */
  async keepFirst(kept: number): Promise<void> {
    for (const open of this.#open.values()) await open[Symbol.asyncDispose]();
    this.#open.clear();
    await this.#queue.keepFirst(kept);
  }

  forget(count: number): Promise<void> {
    return this.#queue.forget(count);
  }

  /** Works off the first `count` events, each behind the chunks that were done before it came. */
  async draft(base: DraftBase, count: number, chunks: CommittedChunks): Promise<CommitDraft> {
    const draft = this.#openDraft(base.table);
    const keyFields = this.#copiedKey(base);
    const waiting = [...chunks.files];
    let taken = chunks.first;
    const addChunks = async (until: number) => {
      for (; taken < until && waiting.length > 0; taken++) await draft.addChunk(waiting.shift() ?? [], keyFields);
    };
    try {
      for (const run of runsOf(this.#queue.first(count), this.#runBytes)) {
        const [first] = run;
        if (!first) continue;
        await addChunks(first.chunksBefore);
        if (first.type === 'truncate') await draft.truncate(this.#layOutNewest(base), first.position);
        else await this.#addRun(draft, base, run as readonly RowsEvent[]);
      }
      await addChunks(Number.POSITIVE_INFINITY);
    } catch (error) {
      await draft.discard();
      throw error;
    }
    return draft;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keepFirst(0);
    await this.#queue[Symbol.asyncDispose]();
  }

  get #isHistory(): boolean {
    return this.#parts.selected.writeMode === 'append';
  }

  get #runBytes(): number {
    return Math.min(MOST_RUN_BYTES, this.#parts.memory.maxBytes * RUN_SHARE);
  }

  #openDraft(table: Table): CommitDraft {
    const { selected, indexes, pool, openFile, mayHoldChanges } = this.#parts;
    return new CommitDraft({
      stream: selected.stream,
      table,
      finder: this.#finder,
      deleted: this.#deleted,
      indexes,
      deletes: selected.changes?.deletes ?? 'hard',
      isHistory: this.#isHistory,
      handover: this.#handover,
      deleteFiles: (selected.changes ?? selected.incremental)?.deleteFiles ?? 'position',
      pool,
      openFile: (layout, content) => openFile(table, layout, content),
      mayHoldChanges: (file) => mayHoldChanges(table, file),
    });
  }

  async #addRun(draft: CommitDraft, base: DraftBase, events: readonly RowsEvent[]): Promise<void> {
    const batches: ChangeRows[] = [];
    const schema = this.#schemaOf(events[0]?.version ?? 0);
    for (const event of events) {
      const decoded = decodeRows(await this.#queue.read(event));
      batches.push(...decoded.map((rows) => new ChangeRows(rows, schema.columns.length)));
    }
    const newest = base.newest ?? schema;
    await draft.addRun(batches, layOutRun(base.table, { selected: this.#parts.selected, schema, newest }));
  }

  #layOutNewest({ table, newest }: DraftBase): RunLayout {
    if (!newest) throw new Error(`stream ${this.#parts.selected.stream} is truncated before its SCHEMA`);
    return layOutRun(table, { selected: this.#parts.selected, schema: newest, newest });
  }

  /** By what rows of chunks are compared with those of changes; not at all in a history or without a key. Chunks that were done before the handover may be committed after it. */
  #copiedKey(base: DraftBase) {
    const { selected } = this.#parts;
    if (!base.newest || !selected.changes || this.#isHistory || base.newest.primaryKey.length === 0) {
      return undefined;
    }
    return this.#layOutNewest(base).keyFields;
  }

  #schemaOf(version: number): StreamSchema {
    const schema = this.#schemas.get(version);
    if (schema) return schema;
    throw new ConnectorError(
      'protocol_violation',
      `A BATCH of stream ${this.#parts.selected.stream} names a schema version that was not sent.`,
    );
  }
}

/** Events that are folded together: rows of one version between the same chunks, up to a bound; a TRUNCATE is alone. */
function* runsOf(events: readonly QueuedEvent[], maxBytes: number): Generator<readonly QueuedEvent[]> {
  let run: QueuedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const first = run[0];
    const isNext =
      first?.type === 'rows' &&
      event.type === 'rows' &&
      first.version === event.version &&
      first.chunksBefore === event.chunksBefore &&
      bytes + event.bytes <= maxBytes;
    if (first && !isNext) {
      yield run;
      run = [];
      bytes = 0;
    }
    run.push(event);
    if (event.type === 'rows') bytes += event.bytes;
  }
  if (run.length > 0) yield run;
}

function chunkKey(chunk: string, attempt = 1): string {
  return `${chunk}/${attempt}`;
}
