import { findMappedId, type FileIO, IcebergError, type MappedField, type NestedField } from '@fjord/iceberg';
import { type Data, type Field, RecordBatchReader, type Schema } from 'apache-arrow';
import { ParquetFile, type RecordBatch } from 'parquet-wasm/esm';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { librarySchema } from './apache-arrow.ts';
import { FileBlob } from './file-blob.ts';
import { fieldIdOf, fitColumn, nullColumn } from './fit-column.ts';
import type { SourceFile, SourceRowGroup } from './source-messages.ts';
import { startWasm } from './wasm.ts';

/** Rows of a batch: enough that calls cost nothing, few enough that values repeated from a dictionary stay small. */
const BATCH_ROWS = 16_384;
/** A batch is to have about so many bytes, as far as the file's own sizes tell. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** A batch read: where its rows begin in the file, and their columns in the order and the Arrow layout of the fields asked for. */
export type SourceBatch = ArrowRows & {
  readonly startRow: number;
  /** The rows as one Arrow IPC stream in memory of its own, if the file holds just these columns in just this layout. */
  readonly stream: Uint8Array<ArrayBuffer> | undefined;
};

type SourceOptions = SourceFile & { io: FileIO };

/** Opens a Parquet file by parquet-wasm in this thread: ranged reads of its footer, then of the columns that are read. */
export async function openWasmSource(options: SourceOptions): Promise<WasmSource> {
  startWasm();
  const { io, location, size } = options;
  const blob = await FileBlob.open(io, location, size);
  const parquet = await guard(blob, options, () => ParquetFile.fromFile(blob as never));
  return new WasmSource(parquet, blob, options);
}

/** An open Parquet file in the WebAssembly heap of this thread. A file that is broken may end the thread: parquet-wasm does not catch all. */
export class WasmSource {
  readonly rowGroups: readonly SourceRowGroup[];
  readonly #parquet: ParquetFile;
  readonly #blob: FileBlob;
  readonly #options: SourceOptions;
  /** The file's top-level columns by field id. */
  readonly #columns: ReadonlyMap<number, Field>;

  constructor(parquet: ParquetFile, blob: FileBlob, options: SourceOptions) {
    this.#parquet = parquet;
    this.#blob = blob;
    this.#options = options;
    this.rowGroups = rowGroupsOf(parquet);
    const rowCount = this.rowGroups.reduce((sum, { rows }) => sum + rows, 0);
    if (BigInt(rowCount) !== options.recordCount) {
      throw broken(options, `it holds ${rowCount} rows and not ${options.recordCount}, as its table says`);
    }
    const schema = withMappedIds(readSchema(parquet), options.nameMapping);
    this.#columns = new Map(schema.flatMap((field) => [[fieldIdOf(field) ?? -1, field] as const]));
  }

  get fieldIds(): ReadonlySet<number> {
    return new Set(this.#columns.keys());
  }

  async *read(fields: readonly NestedField[], rowGroup?: number): AsyncGenerator<SourceBatch> {
    if (rowGroup === undefined) {
      for (const index of this.rowGroups.keys()) yield* this.read(fields, index);
      return;
    }
    const group = this.rowGroups[rowGroup];
    if (!group) throw new Error(`a Parquet file has no row group ${rowGroup}`);
    const columns = fields.map(({ id }) => this.#columns.get(id));
    const names = columns.flatMap((column) => column?.name ?? []);
    for (const [index, field] of fields.entries()) if (!columns[index]) requireOptional(field, this.#options);
    let startRow = group.startRow;
    if (names.length === 0) {
      const nulls = librarySchema(fields).fields.map(({ type }) => nullColumn(type, group.rows));
      yield { length: group.rows, columns: nulls, startRow, stream: undefined };
      return;
    }
    for await (const bytes of this.#batches(rowGroup, names)) {
      const rows = this.#fit(bytes, { fields, columns, startRow });
      startRow += rows.length;
      yield rows;
    }
    // A file that breaks off in the middle may end without an error.
    const found = startRow - group.startRow;
    if (found !== group.rows) throw broken(this.#options, `row group ${rowGroup} gave ${found} of ${group.rows} rows`);
  }

  [Symbol.dispose](): void {
    this.#parquet.free();
  }

  /** Arrow IPC streams of one batch each. */
  async *#batches(rowGroup: number, columns: string[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { rows, encodedBytes } = this.rowGroups[rowGroup]!;
    const batchSize = Math.max(1, Math.min(BATCH_ROWS, Math.floor((BATCH_BYTES * rows) / Math.max(1, encodedBytes))));
    const guarded = <Result>(work: () => Promise<Result>) => guard(this.#blob, this.#options, work);
    const stream = await guarded(() => this.#parquet.stream({ rowGroups: [rowGroup], columns, batchSize }));
    const reader: ReadableStreamDefaultReader<RecordBatch> = stream.getReader();
    try {
      for (;;) {
        const { done, value } = await guarded(() => reader.read());
        if (done) return;
        yield ownBytes(value.intoIPCStream());
      }
    } finally {
      // A read that is never answered would never be cancelled either.
      reader.cancel().catch(() => undefined);
    }
  }

  #fit(stream: Uint8Array<ArrayBuffer>, { fields, columns, startRow }: Wanted): SourceBatch {
    const reader = RecordBatchReader.from(stream);
    const [batch] = reader.readAll();
    if (!batch) return { length: 0, columns: [], startRow, stream: undefined };
    const names = batch.schema.fields.map(({ name }) => name);
    const targets = librarySchema(fields).fields;
    const fitted = targets.map((target, index): Data => {
      const source = columns[index];
      const data = source && batch.data.children[names.indexOf(source.name)];
      return data ? fitColumn(data, source, target) : nullColumn(target.type, batch.numRows);
    });
    const isWhole = fitted.length === names.length && fitted.every((data, at) => data === batch.data.children[at]);
    return { length: batch.numRows, columns: fitted, startRow, stream: isWhole ? stream : undefined };
  }
}

type Wanted = { fields: readonly NestedField[]; columns: readonly (Field | undefined)[]; startRow: number };

function rowGroupsOf(parquet: ParquetFile): SourceRowGroup[] {
  using metadata = parquet.metadata();
  let startRow = 0;
  return Array.from({ length: metadata.numRowGroups() }, (_, index) => {
    using group = metadata.rowGroup(index);
    const rows = group.numRows();
    startRow += rows;
    const [compressedBytes, encodedBytes] = [group.compressedSize(), group.totalByteSize()];
    return { startRow: startRow - rows, rows, compressedBytes, encodedBytes };
  });
}

function readSchema(parquet: ParquetFile): readonly Field[] {
  const reader = RecordBatchReader.from(parquet.schema().intoIPCStream());
  const schema: Schema = reader.open().schema;
  return schema.fields;
}

/** Fields of a file without ids get those that the table maps their names to. */
function withMappedIds(fields: readonly Field[], mapping: readonly MappedField[] | undefined): readonly Field[] {
  if (!mapping || fields.some((field) => fieldIdOf(field) !== undefined)) return fields;
  const visit = (field: Field, path: readonly string[]): Field => {
    const id = findMappedId(mapping, path);
    if (id !== undefined) field.metadata.set('PARQUET:field_id', String(id));
    for (const child of field.type.children ?? []) visit(child, [...path, child.name]);
    return field;
  };
  return fields.map((field) => visit(field, [field.name]));
}

function requireOptional(field: NestedField, options: SourceOptions): void {
  const initial = 'initial-default' in field ? field['initial-default'] : null;
  if (!field.required && initial === null) return;
  throw new IcebergError(
    'unsupported',
    `File ${options.location} lacks column "${field.name}", which is not null in its rows.`,
  );
}

/** Does what parquet-wasm may fail at, unless a read fails before: the storage's own error says more. */
async function guard<Result>(blob: FileBlob, options: SourceOptions, work: () => Promise<Result>) {
  const done = work().catch((cause: unknown) => {
    throw broken(options, 'it cannot be decoded', cause);
  });
  return Promise.race([done, blob.failure]);
}

function broken({ location }: SourceOptions, reason: string, cause?: unknown): IcebergError {
  return new IcebergError('storage_failed', `File ${location} is broken: ${reason}.`, { cause });
}

function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  throw new Error('a batch does not lie in memory of its own');
}
