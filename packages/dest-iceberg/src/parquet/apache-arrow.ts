import { schemaMessage } from '@fjord/core/arrow';
import type { NestedField } from '@fjord/iceberg';
import { makeData, RecordBatch, RecordBatchReader, RecordBatchStreamWriter, type Schema, Struct } from 'apache-arrow';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { arrowFieldsWithIds } from './arrow-schema.ts';

/** The fields of a table as the Arrow library sees them. */
export function librarySchema(fields: readonly NestedField[]): Schema {
  return RecordBatchReader.from(schemaMessage(arrowFieldsWithIds(fields))).open().schema;
}

/** Rows as one Arrow IPC stream in memory of its own. */
export function encodeRows(schema: Schema, { length, columns }: ArrowRows): Uint8Array {
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: [...columns] });
  const writer = new RecordBatchStreamWriter();
  writer.write(new RecordBatch(schema, data));
  writer.finish();
  return writer.toUint8Array(true);
}
