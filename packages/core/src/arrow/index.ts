export { appendRecord } from './append-record.ts';
export {
  type ArrowField,
  arrowField,
  mapEntries,
  NESTED_TYPES,
  primitiveArrowType,
  UUID_METADATA,
} from './arrow-field.ts';
export { BatchBuilder } from './batch-builder.ts';
export { CHANGE_COLUMNS, changeBatchColumns, changeToRow, rowToChange } from './change-rows.ts';
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
