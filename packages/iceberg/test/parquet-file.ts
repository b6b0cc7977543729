import { createRequire } from 'node:module';
import {
  type DataType,
  Field,
  RecordBatch,
  Schema,
  Struct,
  Table,
  makeData,
  tableToIPC,
  vectorFromArray,
} from 'apache-arrow';
import { type DataFile, type Table as IcebergTable, dataFolder } from '../src/index.ts';

// The package's `import` entry is for browsers: it fetches its wasm by URL.
const parquet: typeof import('parquet-wasm') = createRequire(import.meta.url)('parquet-wasm');

/** A column of test data with its field id. */
export interface TestColumn {
  readonly id: number;
  readonly name: string;
  readonly type: DataType;
  readonly values: readonly unknown[];
}

/** Writes rows as a Parquet file of the table and describes it. */
export async function writeParquet(
  table: IcebergTable,
  name: string,
  columns: readonly TestColumn[],
): Promise<DataFile> {
  const bytes = encodeParquet(columns);
  const filePath = `${dataFolder(table.metadata)}/${name}.parquet`;
  await table.io.write(filePath, bytes);
  return {
    filePath,
    fileFormat: 'PARQUET',
    recordCount: BigInt(columns[0]?.values.length ?? 0),
    fileSizeInBytes: BigInt(bytes.length),
  };
}

function encodeParquet(columns: readonly TestColumn[]): Uint8Array {
  const fields = columns.map(
    ({ id, name, type }) => new Field(name, type, true, new Map([['PARQUET:field_id', String(id)]])),
  );
  const schema = new Schema(fields);
  const children = columns.map((column) => vectorFromArray([...column.values], column.type).data[0]!);
  const length = columns[0]?.values.length ?? 0;
  const data = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  const ipc = tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), 'stream');
  return parquet.writeParquet(parquet.Table.fromIPCStream(ipc));
}
