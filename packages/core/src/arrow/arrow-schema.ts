import { type DataType, type Schema, tableFromIPC } from 'apache-arrow';
import type { Column, ColumnType } from '../column-type.ts';
import { arrowField } from './arrow-field.ts';
import { schemaMessage } from './schema-message.ts';

/** The schema of a BATCH of these columns (docs/protocol.md, Types), as apache-arrow has it. */
export function arrowSchema(columns: readonly Column[]): Schema {
  return tableFromIPC(schemaMessage(columns.map(arrowField))).schema;
}

/** The type of a column as apache-arrow has it. */
export function arrowType(type: ColumnType): DataType {
  const [field] = arrowSchema([{ name: '', type, nullable: true }]).fields;
  if (!field) throw new Error('a schema of one column has no field');
  return field.type;
}
