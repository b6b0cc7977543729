import { IpcStreamReader } from './arrow/ipc-stream.ts';
import type { ArrowField } from './arrow/arrow-type.ts';
import type { EncodedChunk } from './column-chunk.ts';
import { type Compress, openCompression } from './compression.ts';
import { ParquetError } from './errors.ts';
import { type FileMetadata, FileStatistics } from './file-metadata.ts';
import { FileOutput } from './file-output.ts';
import { type ChunkMetadata, chunkMetadata, encodeFooter, type RowGroupMetadata } from './footer.ts';
import { MAGIC } from './format.ts';
import { encodeColumnIndex, encodeOffsetIndex } from './page-index.ts';
import { RowGroup } from './row-group.ts';
import { type Leaf, type ParquetSchema, parquetSchema } from './schema.ts';
import { type CompleteOptions, completeOptions, type ParquetWriterOptions } from './writer-options.ts';

/** Writes one Parquet file. */
export interface ParquetWriter {
  /** Bytes given out so far: those of complete row groups. */
  readonly byteLength: number;
  /**
   * Encodes an Arrow IPC stream, given in pieces cut anywhere; resolves with its row count once the memory is no longer needed. The first stream's
   * schema is the file's; those of later ones must be equal. Throws `invalid_arrow` or `unsupported`; the file is of no use then, and every further
   * call is refused with `invalid_file`.
   */
  write(stream: Uint8Array | readonly Uint8Array[]): Promise<number>;
  /** Writes what is left and the footer. Without any stream there is no schema, and so no file: `invalid_arrow`. */
  close(): Promise<FileMetadata>;
}

/** Opens a writer. Throws `invalid_option` for options that do not fit, or that need a library which is not there. */
export async function openParquetWriter(options: ParquetWriterOptions): Promise<ParquetWriter> {
  const complete = completeOptions(options);
  const compress = await openCompression(complete.compression, complete.compressionLevel);
  return new Writer(complete, compress);
}

/** What there is once the schema is known. */
type OpenFile = {
  fields: readonly ArrowField[];
  schema: ParquetSchema;
  rowGroup: RowGroup;
  statistics: FileStatistics;
};

/** Page indexes come behind all row groups: they are kept until then. */
type PageIndexes = { chunk: ChunkMetadata; columnIndex: Uint8Array | undefined; offsetIndex: Uint8Array };

class Writer implements ParquetWriter {
  readonly #options: CompleteOptions;
  readonly #compress: Compress;
  readonly #input = new IpcStreamReader();
  readonly #output: FileOutput;
  readonly #rowGroups: RowGroupMetadata[] = [];
  readonly #indexes: PageIndexes[] = [];
  #file: OpenFile | undefined;
  #rows = 0;
  #end: { message: string; cause?: unknown } | undefined;

  constructor(options: CompleteOptions, compress: Compress) {
    this.#options = options;
    this.#compress = compress;
    this.#output = new FileOutput(options.write);
    this.#output.append(MAGIC);
  }

  get byteLength(): number {
    return this.#output.length;
  }

  write(stream: Uint8Array | readonly Uint8Array[]): Promise<number> {
    return this.#unlessEnded(() => this.#writeStream(stream instanceof Uint8Array ? [stream] : stream));
  }

  async close(): Promise<FileMetadata> {
    const metadata = await this.#unlessEnded(() => this.#finish());
    this.#end = { message: 'The Parquet file is closed.' };
    return metadata;
  }

  /** An error may leave some columns longer than others: such a file must not get a footer. */
  async #unlessEnded<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#end) throw new ParquetError('invalid_file', this.#end.message, { cause: this.#end.cause });
    try {
      return await work();
    } catch (cause) {
      this.#end = { message: 'The Parquet file is incomplete: an earlier call failed.', cause };
      throw cause;
    }
  }

  async #writeStream(pieces: readonly Uint8Array[]): Promise<number> {
    let rows = 0;
    for (const batch of this.#input.read(pieces)) {
      const { rowGroup } = this.#openFile();
      for (let first = 0; first < batch.rows;) {
        first += rowGroup.append(batch, first);
        if (rowGroup.isFull) await this.#endRowGroup();
      }
      rows += batch.rows;
    }
    this.#openFile();
    return rows;
  }

  async #finish(): Promise<FileMetadata> {
    const { schema, rowGroup, statistics } = this.#openFile();
    if (rowGroup.rows > 0) await this.#endRowGroup();
    this.#writeIndexes();
    const { keyValueMetadata } = this.#options;
    const sortingColumns = this.#options.sortedBy.map(({ column, isDescending = false, nullsFirst = false }) => ({
      leaf: schema.leaves.findIndex(({ path }) => path.join('.') === column),
      isDescending,
      nullsFirst,
    }));
    const rowGroups = this.#rowGroups;
    this.#output.append(encodeFooter({ schema, rows: this.#rows, rowGroups, sortingColumns, keyValueMetadata }));
    await this.#output.flush();
    await this.#output.settle();
    const splitOffsets = rowGroups.map(({ offset }) => offset);
    return {
      rowCount: this.#rows,
      byteLength: this.#output.length,
      splitOffsets,
      columns: statistics.columns(rowGroups),
    };
  }

  #openFile(): OpenFile {
    const { fields } = this.#input;
    if (this.#file) {
      if (fields !== this.#file.fields)
        throw new ParquetError('invalid_arrow', 'The schema of an Arrow stream is not that of the file.');
      return this.#file;
    }
    if (fields.length === 0)
      throw new ParquetError('invalid_arrow', 'A Parquet file needs a schema of at least one column.');
    const schema = parquetSchema(fields, this.#options);
    const rowGroup = new RowGroup(schema, this.#options, this.#compress);
    this.#file = { fields, schema, rowGroup, statistics: new FileStatistics(schema) };
    return this.#file;
  }

  async #endRowGroup(): Promise<void> {
    const { rowGroup, schema, statistics } = this.#openFile();
    const { rows, chunks, release } = rowGroup.end();
    statistics.addRowGroup(chunks);
    const group: RowGroupMetadata = { rows, offset: this.#output.length, chunks: [] };
    for (const [index, chunk] of chunks.entries()) group.chunks.push(this.#writeChunk(schema.leaves[index], chunk));
    for (const [index, chunk] of chunks.entries()) this.#writeBloomFilter(group.chunks[index], chunk);
    this.#rowGroups.push(group);
    this.#rows += rows;
    await this.#output.flush(release);
  }

  #writeChunk(leaf: Leaf | undefined, chunk: EncodedChunk): ChunkMetadata {
    const metadata = chunkMetadata(chunk, this.#output.length);
    if (chunk.dictionary) this.#output.append(chunk.dictionary.bytes);
    for (const page of chunk.pages) this.#output.append(page.bytes);
    if (leaf && this.#options.pageIndex) {
      const columnIndex = encodeColumnIndex(leaf.type.order, chunk);
      this.#indexes.push({ chunk: metadata, columnIndex, offsetIndex: encodeOffsetIndex(chunk, metadata.dataOffset) });
    }
    return metadata;
  }

  #writeBloomFilter(metadata: ChunkMetadata | undefined, { bloomFilter }: EncodedChunk): void {
    const filter = bloomFilter?.encode();
    if (metadata && filter) metadata.bloomFilter = this.#output.append(filter);
  }

  /** First all column indexes, then all offset indexes (PageIndex.md): a reader that prunes fetches each kind in one go. */
  #writeIndexes(): void {
    for (const { chunk, columnIndex } of this.#indexes)
      if (columnIndex) chunk.columnIndex = this.#output.append(columnIndex);
    for (const { chunk, offsetIndex } of this.#indexes) chunk.offsetIndex = this.#output.append(offsetIndex);
  }
}
