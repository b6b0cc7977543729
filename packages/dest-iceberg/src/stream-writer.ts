import { isDeepStrictEqual } from 'node:util';
import { type BatchMessage, ConnectorError, type Message } from '@fjord/core';
import { type DataFile, currentSchema, defaultSpec, fileFields, type Partition, type Table } from '@fjord/iceberg';
import { ChunkFiles } from './chunk-files.ts';
import { filePrefix } from './file-layout.ts';
import type { FileWriter, ParquetPool } from './parquet/sink.ts';
import { PartitionKeys } from './partition/partition-keys.ts';
import { partitionPath } from './partition/partition-path.ts';
import { type PartitionMemory, PartitionedWriter } from './partition/partitioned-writer.ts';
import type { StreamProperty } from './pipeline-state.ts';
import type { StreamTable } from './stream-table.ts';
import { toIcebergColumns } from './table-schema.ts';

type StreamWriterParts = {
  stream: string;
  pipeline: string;
  isOverwrite: boolean;
  table: StreamTable;
  pool: ParquetPool;
  memory: PartitionMemory;
};

/** A state that waits for its commit: `chunks` is how many of the done chunks it covers. */
type Pending = { state: unknown; chunks: number; isLast: boolean };

/** One stream on its way into its table: schema, backfill, rows, and the states that are committed with them. */
export class StreamWriter {
  readonly #parts: StreamWriterParts;
  readonly #files: ChunkFiles;
  #table: Table | undefined;
  #schema: Message<'SCHEMA'> | undefined;
  #backfill: { generation: number; replace: boolean };
  #pending: Pending | undefined;
  #durable: unknown;
  #hasResumed = false;
  #hasBegun = false;
  #isStarted = false;
  #isComplete = false;
  #isLastCommitted = false;
  #failure: ConnectorError | undefined;

  constructor(parts: StreamWriterParts, found: StreamProperty | undefined) {
    this.#parts = parts;
    this.#durable = found?.state ?? null;
    this.#backfill = { generation: 1, replace: parts.isOverwrite };
    this.#files = new ChunkFiles({
      openFile: (name) => this.#openFile(name),
      deleteFiles: (files) => this.#deleteFiles(files),
    });
  }

  get stream(): string {
    return this.#parts.stream;
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

  async setSchema(schema: Message<'SCHEMA'>): Promise<void> {
    this.#schema = schema;
    this.#table = await this.#parts.table.ensure(schema.columns, schema.primaryKey);
  }

  /** Begins or continues a backfill; rows of another generation that no commit holds are dropped. */
  async beginBackfill({ generation, replace }: Message<'BACKFILL'>): Promise<void> {
    this.#requireResumed();
    // What is still here belongs to a backfill that starts over; what a commit holds is replaced by the new one.
    await this.#files.discardAllBut(0);
    this.#pending = undefined;
    this.#backfill = { generation, replace };
    this.#hasBegun = true;
    this.#isComplete = false;
    this.#isLastCommitted = false;
  }

  async write(batch: BatchMessage): Promise<void> {
    this.#requireResumed();
    if (batch.schema !== this.#schema?.version) {
      throw new ConnectorError(
        'protocol_violation',
        `A BATCH of stream ${this.stream} names a schema version that was not sent.`,
      );
    }
    if (!this.#failure) await this.#files.write(batch);
  }

  endChunk(chunk: Message<'CHUNK'>): Promise<void> {
    return chunk.event === 'begin' ? Promise.resolve() : this.#files.end(chunk);
  }

  /** Notes a state: it covers the chunks that are done and the rows outside of chunks so far. */
  takeState(state: unknown): void {
    if (this.#failure) return;
    this.#files.coverLooseRows();
    this.#pending = { state, chunks: this.#files.doneCount, isLast: this.#isComplete };
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
  settle(): void {
    if (!this.#isComplete || this.#isLastCommitted || this.#pending?.isLast) return;
    // A stream that was skipped was never started: to swap in nothing would empty its table.
    const isReplaced = this.#isStarted && this.#parts.isOverwrite;
    if (!isReplaced && !this.#hasBegun && !this.#pending && !this.#files.hasRows) return;
    this.takeState(this.#pending?.state ?? this.#durable);
  }

  /** Gives the stream up; what its last state covers is still committed. */
  async fail(error: ConnectorError): Promise<void> {
    this.#failure ??= error;
    await this.discardUncovered();
  }

  /** Drops the rows that no state covers. */
  discardUncovered(): Promise<void> {
    return this.#files.discardAllBut(this.#pending?.chunks ?? 0);
  }

  /** Commits what the newest state covers; gives that state, or undefined when there was nothing to commit. */
  async commit(): Promise<{ state: unknown } | undefined> {
    const pending = this.#pending;
    if (!pending) return undefined;
    const files = await this.#files.finished(pending.chunks);
    const { generation, replace } = this.#backfill;
    const target = !replace ? 'main' : pending.isLast ? 'swap' : 'staged';
    await this.#parts.table.commit({ files, state: pending.state, generation, target });
    this.#files.forget(pending.chunks);
    if (this.#pending === pending) this.#pending = undefined;
    else if (this.#pending) this.#pending.chunks -= pending.chunks;
    this.#durable = pending.state;
    if (pending.isLast) this.#isLastCommitted = true;
    return { state: pending.state };
  }

  #openFile(chunk: string): FileWriter {
    const { pool, pipeline, memory } = this.#parts;
    if (!this.#table || !this.#schema) throw new Error(`stream ${this.stream} has rows before its SCHEMA`);
    const { metadata, ioProperties: io } = this.#table;
    const { generation } = this.#backfill;
    const { columns } = this.#schema;
    const [schema, spec] = [currentSchema(metadata), defaultSpec(metadata)];
    const fields = fileFields(schema, toIcebergColumns(columns));
    const open = (partition?: string) =>
      pool.openFile({ prefix: filePrefix(metadata, { pipeline, generation, chunk, partition }), fields, io });
    if (spec.fields.length === 0) return open();
    const keys = new PartitionKeys(this.stream, { spec, schema, fields });
    const openFile = (partition: Partition) => open(partitionPath(partition, spec, schema));
    return new PartitionedWriter({ keys, columns, memory, specId: spec['spec-id'], openFile });
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
