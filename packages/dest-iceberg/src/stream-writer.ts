import { isDeepStrictEqual } from 'node:util';
import { type BatchMessage, type Column, ConnectorError, type Message, type SelectedStream } from '@fjord/core';
import { type DataFile, currentSchema, fileFields, type Table } from '@fjord/iceberg';
import type { OpenedFile } from './changes/run-writer.ts';
import type { StreamChanges, StreamChangesParts } from './changes/stream-changes.ts';
import { ChunkFiles } from './chunk-files.ts';
import { mayHoldChanges } from './file-layout.ts';
import type { FileWriter, ParquetPool } from './parquet/sink.ts';
import type { PartitionMemory } from './partition/partitioned-writer.ts';
import type { StreamProperty } from './pipeline-state.ts';
import { type FileContent, openStreamFile } from './stream-file.ts';
import type { Publish, StreamCommit, StreamTable } from './stream-table.ts';
import { toIcebergColumns } from './table-schema.ts';

type StreamWriterParts = {
  selected: SelectedStream;
  pipeline: string;
  isOverwrite: boolean;
  table: StreamTable;
  pool: ParquetPool;
  memory: PartitionMemory;
  /** Opens what takes changes and rows that are upserted; absent where the stream has neither. */
  openChanges?:
    | ((parts: Pick<StreamChangesParts, 'openFile' | 'mayHoldChanges' | 'pool'>) => StreamChanges)
    | undefined;
};

/** How a commit is made together with those of other streams: `prepare` does what takes long, in its turn, `publish` waits for all others. */
export type JointWork = {
  /** What to commit: taken of all streams at once, so that no transaction is torn. */
  pending: Pending;
  prepare<Result>(work: () => Promise<Result>): Promise<Result>;
  publish: Publish;
};

/** A state that waits for its commit: how many of the done chunks and of the events that came by key it covers. */
export type Pending = { state: unknown; chunks: number; events: number; isLast: boolean };

/** One stream on its way into its table: schema, backfill, rows, and the states that are committed with them. */
export class StreamWriter {
  readonly #parts: StreamWriterParts;
  readonly #files: ChunkFiles;
  readonly #changes: StreamChanges | undefined;
  #table: Table | undefined;
  #schema: Message<'SCHEMA'> | undefined;
  /** The table's columns, as files of chunks have them. */
  #columns: Column[] = [];
  /** Done chunks that commits have taken. */
  #committedChunks = 0;
  #backfill: { generation: number; replace: boolean };
  #pending: Pending | undefined;
  #durable: unknown;
  #hasResumed = false;
  #hasBegun = false;
  /** Whether all of the copy that replaces the table has come. */
  #isCopied = false;
  #isStarted = false;
  #isComplete = false;
  #isLastCommitted = false;
  #failure: ConnectorError | undefined;

  constructor(parts: StreamWriterParts, found: StreamProperty | undefined) {
    this.#parts = parts;
    this.#durable = found?.state ?? null;
    this.#backfill = { generation: 1, replace: parts.isOverwrite };
    this.#files = new ChunkFiles({
      openFile: (name) => this.#openChunk(name),
      deleteFiles: (files) => this.#deleteFiles(files),
    });
    this.#changes = parts.openChanges?.({
      pool: parts.pool,
      openFile: (table, { fileColumns, fields }, content) =>
        this.#openFile(table, { chunk: undefined, columns: fileColumns, fields, isWhole: content === 'keys' }),
      mayHoldChanges: ({ metadata }, file) => mayHoldChanges(parts.pipeline, metadata, file.filePath),
    });
  }

  get stream(): string {
    return this.#parts.selected.stream;
  }

  get selected(): SelectedStream {
    return this.#parts.selected;
  }

  /** Why the stream was given up; undefined while it goes well. */
  get failure(): ConnectorError | undefined {
    return this.#failure;
  }

  /** Whether a state waits for its commit, and whether it is the stream's last, which need not wait for the interval. */
  get pending(): 'none' | 'waiting' | 'last' {
    if (!this.#pending) return 'none';
    return this.#pending.isLast ? 'last' : 'waiting';
  }

  /** What a commit together with other streams takes; undefined while there is nothing, or for a stream without a log. */
  get jointly(): Pending | undefined {
    return this.#parts.selected.changes && !this.isHeld ? this.#pending : undefined;
  }

  /**
   * Whether changes wait for the end of a copy that replaces the table: they belong on top of it, so that neither the stream's state
   * nor a shared one may be committed before.
   */
  get isHeld(): boolean {
    const isReplacing = this.#backfill.replace && !this.#isCopied && !this.#isComplete;
    return isReplacing && (this.#changes?.eventCount ?? 0) > 0;
  }

  /** Takes the state that the source resumes from; `state_conflict` if it is not the table's latest (rule 12). */
  resume(state: unknown): void {
    this.#hasResumed = true;
    if (isDeepStrictEqual(state ?? null, this.#durable)) return;
    const { stream } = this;
    throw new ConnectorError(
      'state_conflict',
      `Stream ${stream} resumes from a state that is not its table's latest.`,
      { stream },
    );
  }

  async setSchema(sent: Message<'SCHEMA'>): Promise<void> {
    const schema = this.#parts.table.place(sent);
    this.#schema = schema;
    const { columns, primaryKey } = this.#changes?.tableFor(schema) ?? schema;
    this.#columns = columns;
    this.#table = await this.#parts.table.ensure(columns, primaryKey);
    this.#changes?.addSchema(schema, this.#table);
  }

  /** Begins or continues a backfill; rows of another generation that no commit holds are dropped. */
  async beginBackfill({ generation, replace }: Message<'BACKFILL'>): Promise<void> {
    this.#requireResumed();
    // What is still here belongs to a backfill that starts over; what a commit holds is replaced by the new one.
    await this.#files.discardAllBut(0);
    this.#pending = undefined;
    const { selected } = this.#parts;
    // Rows that are upserted take the place of those with their key in any case; others stay.
    const isUpserted = selected.writeMode === 'upsert' && !selected.changes;
    this.#backfill = { generation, replace: replace && !isUpserted };
    this.#isCopied = false;
    this.#hasBegun = true;
    this.#isComplete = false;
    this.#isLastCommitted = false;
  }

  async write(batch: BatchMessage): Promise<void> {
    this.#requireResumed();
    const changes = batch.kind === 'changes' ? this.#requireChanges('BATCH of changes') : this.#changes;
    if (this.#failure) return;
    if (changes?.takes(batch.kind)) return changes.write(batch, this.#doneChunks);
    if (batch.schema !== this.#schema?.version) {
      throw new ConnectorError(
        'protocol_violation',
        `A BATCH of stream ${this.stream} names a schema version that was not sent.`,
      );
    }
    await this.#files.write(changes ? { ...batch, body: [...changes.copied(batch).body] } : batch);
  }

  async endChunk(chunk: Message<'CHUNK'>): Promise<void> {
    if (chunk.event === 'begin') return;
    await this.#files.end(chunk);
    await this.#changes?.endChunk(chunk, this.#doneChunks);
  }

  /** Takes what is said of a stream that follows the change log. A table that is gone in the source stays in the lake. */
  takeLogEvent(message: Message<'HANDOVER' | 'TRUNCATE' | 'DROPPED'>): void {
    this.#requireResumed();
    const changes = this.#requireChanges(message.type);
    if (message.type === 'HANDOVER') {
      this.#isCopied = true;
      changes.handOver(message.position);
    }
    if (message.type === 'TRUNCATE') changes.truncate(message.position, this.#doneChunks);
  }

  /** Notes a state, at once: it covers the chunks that are done and the rows outside of chunks so far. Resolves when there is room for more. */
  async takeState(state: unknown): Promise<void> {
    if (this.#failure) return;
    const written = this.#files.coverLooseRows();
    const events = this.#changes?.eventCount ?? 0;
    this.#pending = { state, chunks: this.#files.doneCount, events, isLast: this.#isComplete };
    await written;
  }

  /** The source has begun with the stream in this run: what it sends until COMPLETE, even nothing, is all of it. */
  start(): void {
    this.#isStarted = true;
  }

  /** All rows have come. The commit waits for the state that follows, so that the swap and that state are one. */
  complete(): void {
    this.#isComplete = true;
  }

  /** At the end of the run: a complete stream whose last state never came is committed under the one it had. */
  async settle(): Promise<void> {
    if (!this.#isComplete || this.#isLastCommitted || this.#pending?.isLast) return;
    // A stream that was skipped was never started: to swap in nothing would empty its table.
    const isReplaced = this.#isStarted && this.#parts.isOverwrite;
    if (!isReplaced && !this.#hasBegun && !this.#pending && !this.#hasRows) return;
    await this.takeState(this.#pending?.state ?? this.#durable);
  }

  /** Gives the stream up; what its last state covers is still committed. */
  async fail(error: ConnectorError): Promise<void> {
    this.#failure ??= error;
    await this.discardUncovered();
  }

  /** Gives the stream up with all that no commit holds. */
  async giveUp(error: ConnectorError): Promise<undefined> {
    this.#failure ??= error;
    this.#pending = undefined;
    await this.discardUncovered();
  }

  /** Drops the rows that no state covers. */
  async discardUncovered(): Promise<void> {
    await this.#files.discardAllBut(this.#pending?.chunks ?? 0);
    await this.#changes?.keepFirst(this.#pending?.events ?? 0);
  }

  /**
   * Commits what the newest state covers; gives that state, or undefined when there was nothing to commit, and the table where changes came
   * to it. What it takes from `joint` it does with other streams.
   */
  async commit(joint?: JointWork): Promise<{ state: unknown; changed: Table | undefined } | undefined> {
    const pending = joint?.pending ?? this.#pending;
    if (!pending || this.isHeld) return undefined;
    await this.#commit(pending, joint);
    this.#files.forget(pending.chunks);
    this.#committedChunks += pending.chunks;
    await this.#changes?.forget(pending.events);
    if (this.#pending === pending) this.#pending = undefined;
    else if (this.#pending) {
      this.#pending.chunks -= pending.chunks;
      this.#pending.events -= pending.events;
    }
    this.#durable = pending.state;
    if (pending.isLast) this.#isLastCommitted = true;
    return { state: pending.state, changed: pending.events > 0 ? this.#parts.table.newest : undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discardUncovered();
    await this.#changes?.[Symbol.asyncDispose]();
  }

  async #commit({ state, chunks, events, isLast }: Pending, joint: JointWork | undefined): Promise<void> {
    const { table } = this.#parts;
    const { generation, replace } = this.#backfill;
    const files = await this.#files.finishedChunks(chunks);
    const changes = this.#changes;
    if (changes && replace && (isLast || this.#isCopied)) {
      // Changes go on top of what was swapped in. A crash in between repeats the copy, under the state that was there before.
      await table.commit({ files: files.flat(), state: this.#durable, generation, target: 'swap' });
      this.#backfill = { generation, replace: false };
      return this.#commitChanges(changes, { state, events, files: [] }, joint);
    }
    if (changes && !replace) return this.#commitChanges(changes, { state, events, files }, joint);
    const target = !replace ? 'main' : isLast ? 'swap' : 'staged';
    await table.commit({ files: files.flat(), state, generation, target }, joint?.publish);
  }

  async #commitChanges(
    changes: StreamChanges,
    { state, events, files }: { state: unknown; events: number; files: DataFile[][] },
    joint: JointWork | undefined,
  ): Promise<void> {
    const { table } = this.#parts;
    const { generation } = this.#backfill;
    // Without rows only the state changes, as for any other stream.
    const only: StreamCommit = { files: [], state, generation, target: 'main' };
    if (events === 0 && files.length === 0) return table.commit(only, joint?.publish);
    // In this order: the table is at least as new as the columns.
    const { newest } = changes;
    const base = await table.load();
    const work = () => changes.draft({ table: base, newest }, events, { files, first: this.#committedChunks });
    const draft = await (joint ? joint.prepare(work) : work());
    const stage = (fresh: Table) => draft.stage(fresh);
    await table.commit({ ...only, base, stage }, joint?.publish);
    await draft.settle();
  }

  get #doneChunks(): number {
    return this.#committedChunks + this.#files.doneCount;
  }

  get #hasRows(): boolean {
    return this.#files.hasRows || (this.#changes?.eventCount ?? 0) > 0;
  }

  #requireChanges(what: string): StreamChanges {
    const isLogged = this.#parts.selected.changes !== undefined;
    if (this.#changes && isLogged) return this.#changes;
    throw new ConnectorError('protocol_violation', `A ${what} came for stream ${this.stream}, which has no changes.`);
  }

  #openChunk(chunk: string): FileWriter {
    if (!this.#table || !this.#schema) throw new Error(`stream ${this.stream} has rows before its SCHEMA`);
    const fields = fileFields(currentSchema(this.#table.metadata), toIcebergColumns(this.#columns));
    return this.#openFile(this.#table, { chunk, columns: this.#columns, fields }).writer;
  }

  #openFile(table: Table, content: FileContent): OpenedFile {
    const { selected, pool, pipeline, memory } = this.#parts;
    const { generation } = this.#backfill;
    return openStreamFile(table, content, { stream: selected.stream, pool, pipeline, memory, generation });
  }

  async #deleteFiles(files: DataFile[]): Promise<void> {
    const io = this.#table?.io;
    if (io) await Promise.allSettled(files.map((file) => io.delete(file.filePath)));
  }

  #requireResumed(): void {
    if (this.#hasResumed) return;
    throw new ConnectorError('protocol_violation', `Stream ${this.stream} sent rows before the state it resumes from.`);
  }
}
