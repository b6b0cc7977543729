export { appendRecord } from './append-record.ts';
export { arrowSchema, arrowType } from './arrow-schema.ts';
export { BatchBuilder } from './batch-builder.ts';
export { batchToRecords } from './batch-to-records.ts';
export { civilFromDays, daysFromCivil } from './calendar.ts';
export {
  type ArrowColumn,
  BooleanColumn,
  BytesColumn,
  createColumn,
  FixedColumn,
  ListColumn,
  MapColumn,
  StructColumn,
} from './columns.ts';
export { replaceSchemaMessage, schemaMessage } from './schema-message.ts';
