import { availableParallelism } from 'node:os';
import { type DataFile, IcebergError, type NestedField, parseNameMapping, type Table } from '@fjord/iceberg';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { DecoderThread } from './decoder-thread.ts';
import type { SourceRowGroup } from './source-messages.ts';

/** Rows read: where they begin in the file, and one Arrow IPC stream of them in memory of its own. */
export class SourceRows {
  readonly startRow: number;
  readonly rows: number;
  /** May be transferred; then `columns` must not be used any more. */
  readonly stream: Uint8Array<ArrayBuffer>;
  #decoded: ArrowRows | undefined;

  constructor({ startRow, rows, stream }: { startRow: number; rows: number; stream: Uint8Array<ArrayBuffer> }) {
    this.startRow = startRow;
    this.rows = rows;
    this.stream = stream;
  }

  /** The rows as Arrow buffers, column by column, in the order of the fields asked for; views of `stream`. */
  get columns(): ArrowRows {
    const [decoded] = this.#decoded ? [this.#decoded] : decodeRows([this.stream]);
    this.#decoded = decoded ?? { length: 0, columns: [] };
    return this.#decoded;
  }
}

/** An open Parquet data file, whoever wrote it. */
export interface ParquetSource extends AsyncDisposable {
  readonly rowCount: number;
  readonly rowGroups: readonly SourceRowGroup[];
  /** Ids of the top-level columns that the file holds. */
  readonly fieldIds: ReadonlySet<number>;
  /**
   * Reads columns, by their ids and in the types given, in batches of a few megabytes: of one row group, or of all unless one is named.
   * Narrower types are widened, a column that the file lacks is null. Throws `unsupported` for what the types cannot hold, `storage_failed`
   * for a broken file. Held are one row group's columns, compressed, and two batches.
   */
  read(fields: readonly NestedField[], rowGroup?: number): AsyncGenerator<SourceRows>;
}

/** The threads that decode for all of this process: one, unless several files are read at once. A file that is broken may end one; the next file gets another. */
let threads: DecoderThread[] = [];
const MAX_THREADS = Math.min(availableParallelism(), 4);

function pickThread(): DecoderThread {
  threads = threads.filter((thread) => !thread.isDead);
  const [idlest] = threads.toSorted((a, b) => a.sourceCount - b.sourceCount);
  if (idlest && (idlest.sourceCount === 0 || threads.length >= MAX_THREADS)) return idlest;
  const thread = new DecoderThread();
  threads.push(thread);
  return thread;
}

/** Opens a data file of a table by ranged reads, decoded in a worker thread. Throws `storage_failed` if it is not what the table says. */
export async function openParquetSource(
  table: Pick<Table, 'ioProperties' | 'metadata'>,
  file: DataFile,
): Promise<ParquetSource> {
  if (file.fileFormat !== 'PARQUET' || file.keyMetadata) {
    const what = file.keyMetadata ? 'encrypted' : file.fileFormat;
    throw new IcebergError('unsupported', `File ${file.filePath} is ${what}; Parquet files can be read.`);
  }
  return pickThread().open({
    io: table.ioProperties,
    location: file.filePath,
    size: Number(file.fileSizeInBytes),
    recordCount: file.recordCount,
    nameMapping: parseNameMapping(table.metadata.properties),
  });
}
