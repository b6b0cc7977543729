import type { ArrowColumn } from './arrow/arrow-column.ts';
import type { ArrowBatch } from './arrow/ipc-stream.ts';
import { ColumnChunk, type ChunkOptions, type EncodedChunk, type Workspace } from './column-chunk.ts';
import type { Compress } from './compression.ts';
import { ParquetError } from './errors.ts';
import { PageBuffer } from './page-buffer.ts';
import { PageStore } from './page-store.ts';
import type { Leaf, ParquetSchema } from './schema.ts';
import type { CompleteOptions } from './writer-options.ts';

/** Pages are never made smaller than this, however many columns there are. */
const SMALLEST_PAGE_BYTES = 4096;
/** Dictionaries beyond this hardly fit a processor's cache. */
const MAX_DICTIONARY_BYTES = 1024 * 1024;
/** Rows are taken through all columns in blocks of about so many bytes, so that a row group ends near its size. */
const BLOCK_BYTES = 4 * 1024 * 1024;

/** The buffer for the page that is being encoded serves all writers of a thread: encoding one page is never interrupted. */
const buffer = new PageBuffer();

/** Encodes row group after row group: takes rows until the group is full, then gives its column chunks. */
export class RowGroup {
  readonly #leaves: readonly Leaf[];
  readonly #chunks: readonly ColumnChunk[];
  readonly #options: CompleteOptions;
  readonly #workspace: Workspace = { buffer, store: new PageStore() };
  rows = 0;

  constructor({ leaves }: ParquetSchema, options: CompleteOptions, compress: Compress) {
    this.#leaves = leaves;
    this.#options = options;
    checkNames(leaves, options);
    this.#chunks = leaves.map(
      (leaf) =>
        new ColumnChunk(leaf, chunkOptions(leaf, options, { compress, leafCount: leaves.length }), this.#workspace),
    );
  }

  get isFull(): boolean {
    return this.rows >= this.#options.rowGroupRows || this.#byteLength() >= this.#options.rowGroupBytes;
  }

  /** Takes rows of a batch from `first` on until it ends or the group is full; gives how many. */
  append(batch: ArrowBatch, first: number): number {
    const columns = this.#leaves.map((leaf) => columnsTo(batch, leaf));
    const blockRows = Math.max(1, Math.floor((batch.rows * BLOCK_BYTES) / Math.max(1, batch.bytes)));
    let taken = 0;
    while (first + taken < batch.rows && !this.isFull) {
      const rows = Math.min(blockRows, batch.rows - first - taken, this.#options.rowGroupRows - this.rows);
      for (const [index, chunk] of this.#chunks.entries())
        chunk.append(columns[index] ?? [], { first: first + taken, rows });
      taken += rows;
      this.rows += rows;
    }
    return taken;
  }

  /** Ends the row group and begins the next. The pages of the chunks are valid until `release` is called. */
  end(): { rows: number; chunks: EncodedChunk[]; release: () => void } {
    const { rows } = this;
    const { store } = this.#workspace;
    const chunks = this.#chunks.map((chunk) => chunk.end());
    this.rows = 0;
    this.#workspace.store = new PageStore();
    return { rows, chunks, release: () => store.clear() };
  }

  #byteLength(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }
}

function chunkOptions(
  leaf: Leaf,
  options: CompleteOptions,
  { compress, leafCount }: { compress: Compress; leafCount: number },
): ChunkOptions {
  const { compression, encodings, plainColumns, bloomFilters, pageChecksums } = options;
  const share = Math.floor(options.bufferBytes / leafCount);
  const pageBytes = Math.max(SMALLEST_PAGE_BYTES, Math.min(options.pageBytes, share));
  const name = leaf.path.join('.');
  return {
    compression,
    compress,
    pageBytes,
    hasChecksums: pageChecksums,
    useDictionary: plainColumns !== false && !plainColumns.includes(name),
    maxDictionaryBytes: Math.max(SMALLEST_PAGE_BYTES, Math.min(MAX_DICTIONARY_BYTES, share)),
    encodings,
    hasBloomFilter: bloomFilters.includes(name),
  };
}

function checkNames(leaves: readonly Leaf[], { plainColumns, bloomFilters, sortedBy }: CompleteOptions): void {
  const names = new Set(leaves.map(({ path }) => path.join('.')));
  const mentioned = { plainColumns: plainColumns || [], bloomFilters, sortedBy: sortedBy.map(({ column }) => column) };
  for (const [option, columns] of Object.entries(mentioned)) {
    const unknown = columns.find((column) => !names.has(column));
    if (unknown !== undefined)
      throw new ParquetError('invalid_option', `Option ${option} names "${unknown}", which is no column.`);
  }
}

/** The columns of a batch from the top-level one down to the leaf. */
function columnsTo(batch: ArrowBatch, { route, path }: Leaf): ArrowColumn[] {
  const [top = 0, ...children] = route;
  const columns: ArrowColumn[] = [];
  let column = batch.columns[top];
  for (const child of [...children, undefined]) {
    if (!column) throw new ParquetError('invalid_arrow', `A batch lacks column "${path[0]}".`);
    columns.push(column);
    column = child === undefined ? undefined : column.children[child];
  }
  return columns;
}
