import type { Column } from '@fjord/core';
import { appendRecord, BatchBuilder } from '@fjord/core/arrow';
import type { NestedField } from '@fjord/iceberg';
import type { ParquetBatch } from '../../src/parquet/sink.ts';
import { schemaForColumns } from '../../src/table-schema.ts';

/** The fields, with ids, of a new table with these columns. */
export function fieldsOf(columns: Column[]): readonly NestedField[] {
  return schemaForColumns(columns, []).fields;
}

/** A batch of rows given as RECORD data. */
export function batchOf(columns: Column[], rows: Record<string, unknown>[]): ParquetBatch {
  const builder = new BatchBuilder(columns);
  for (const row of rows) appendRecord(builder, row);
  return builder.finish();
}
