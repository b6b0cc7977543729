import type { DataFile } from '../data-file.ts';
import type { NestedField } from '../data-type.ts';
import type { FileIO } from '../file-io.ts';
import type { PositionSet } from './position-set.ts';

/** The columns of a position delete file (spec: Reserved Field IDs). */
export const FILE_PATH_ID = 2147483546;
export const POSITION_ID = 2147483545;
export const POSITION_DELETE_FIELDS: readonly NestedField[] = [
  { id: FILE_PATH_ID, name: 'file_path', required: true, type: 'string' },
  { id: POSITION_ID, name: 'pos', required: true, type: 'long' },
];
/** Rows encoded at once. */
const BATCH_ROWS = 65_536;

/** The rows of one data file that are to be deleted. */
export type DeletedRows = { data: DataFile; positions: PositionSet };

/** Writes one position delete file about rows of data files that share a spec and partition, sorted as the spec asks. */
export async function writePositionDeleteFile(
  io: FileIO,
  location: string,
  rows: readonly DeletedRows[],
): Promise<DataFile> {
  const sorted = rows.toSorted((a, b) => Buffer.compare(pathBytes(a), pathBytes(b)));
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (!first || !last) throw new Error('a position delete file without rows');
  const { openParquetWriter } = await import('@fjord/parquet');
  const file = await io.createWriter(location);
  try {
    const writer = await openParquetWriter({ write: (bytes) => file.write(Uint8Array.from(bytes)) });
    for (const { data, positions } of sorted) {
      for (const batch of inBatches(positions)) await writer.write(await encodeRows(data.filePath, batch));
    }
    await writer.close();
  } catch (error) {
    await file.abort();
    throw error;
  }
  const { length } = await file.close();
  const { specId, partition } = first.data;
  return {
    content: 'position-deletes',
    filePath: location,
    fileFormat: 'PARQUET',
    ...(specId !== undefined && { specId }),
    ...(partition !== undefined && { partition }),
    recordCount: BigInt(sorted.reduce((sum, { positions }) => sum + positions.size, 0)),
    fileSizeInBytes: BigInt(length),
    // Whole paths: readers find by them which data files it is about.
    lowerBounds: new Map([[FILE_PATH_ID, pathBytes(first)]]),
    upperBounds: new Map([[FILE_PATH_ID, pathBytes(last)]]),
    ...(sorted.length === 1 && { referencedDataFile: first.data.filePath }),
  };
}

function pathBytes({ data }: DeletedRows): Uint8Array {
  return Buffer.from(data.filePath);
}

function* inBatches(positions: Iterable<number>): Generator<BigInt64Array> {
  let batch = new BigInt64Array(BATCH_ROWS);
  let rows = 0;
  for (const position of positions) {
    batch[rows++] = BigInt(position);
    if (rows < BATCH_ROWS) continue;
    yield batch;
    batch = new BigInt64Array(BATCH_ROWS);
    rows = 0;
  }
  if (rows > 0) yield batch.subarray(0, rows);
}

/** One batch of two columns, the path the same in each row, as an Arrow IPC stream. */
async function encodeRows(path: string, positions: BigInt64Array): Promise<Uint8Array> {
  const { Field, Int64, RecordBatch, Schema, Struct, Utf8, makeData, tableToIPC, Table } = await import('apache-arrow');
  const id = (value: number) => new Map([['PARQUET:field_id', String(value)]]);
  const fields = [
    new Field('file_path', new Utf8(), false, id(FILE_PATH_ID)),
    new Field('pos', new Int64(), false, id(POSITION_ID)),
  ];
  const bytes = Buffer.from(path);
  const data = Buffer.alloc(bytes.length * positions.length, bytes);
  const valueOffsets = Int32Array.from({ length: positions.length + 1 }, (_, row) => row * bytes.length);
  const children = [
    makeData({ type: new Utf8(), length: positions.length, valueOffsets, data }),
    makeData({ type: new Int64(), length: positions.length, data: positions }),
  ];
  const schema = new Schema(fields);
  const struct = makeData({ type: new Struct(fields), length: positions.length, children });
  return tableToIPC(new Table([new RecordBatch(schema, struct)]), 'stream');
}
