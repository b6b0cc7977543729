export { appendRecord } from './append-record.ts';
export { arrowSchema, arrowType } from './arrow-schema.ts';
export { BatchBuilder, columnData } from './batch-builder.ts';
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
export {
  formatDate,
  formatDecimal,
  formatTime,
  formatTimestamp,
  parseDate,
  parseDecimal,
  parseTime,
  parseTimestamp,
} from './json-text.ts';
export { replaceSchemaMessage, schemaMessage } from './schema-message.ts';
