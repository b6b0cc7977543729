import type { Column } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { createSchema, type DataFile, type NestedField, newTableMetadata } from '@fjord/iceberg';
import { stat } from 'node:fs/promises';
import { openParquetSource, type ParquetSource } from '../../src/parquet/parquet-source.ts';

/** Describes a Parquet file on disk of so many rows. */
export async function describeFile(filePath: string, rows: number): Promise<DataFile> {
  const { size } = await stat(filePath);
  return { filePath, fileFormat: 'PARQUET', recordCount: BigInt(rows), fileSizeInBytes: BigInt(size) };
}

/** Opens a file of the local disk as one of a table with such properties. */
export function openSource(file: DataFile, properties: Record<string, string> = {}): Promise<ParquetSource> {
  const schema = createSchema([{ name: 'id', type: 'int' }]);
  return openParquetSource(
    { ioProperties: {}, metadata: newTableMetadata({ location: '/', schema, properties }) },
    file,
  );
}

/** Rows as RECORD data, and where each batch begins. */
export async function readRecords(
  source: ParquetSource,
  { columns, fields, rowGroup }: { columns: readonly Column[]; fields: readonly NestedField[]; rowGroup?: number },
) {
  const [records, starts]: [Record<string, unknown>[], number[]] = [[], []];
  for await (const { startRow, stream, rows } of source.read(fields, rowGroup)) {
    const own = [...batchToRecords([stream], columns)];
    if (own.length !== rows) throw new Error('a batch says another number of rows than it has');
    starts.push(startRow);
    records.push(...own);
  }
  return { records, starts };
}
