import { type Column, type ColumnType, parsePrimitive } from '@fjord/core';
import {
  type Column as IcebergColumn,
  type ColumnType as IcebergColumnType,
  createSchema,
  type Schema,
} from '@fjord/iceberg';

/** The Iceberg schema for a stream's columns, with fresh field ids; the primary key becomes the identifier fields where the spec allows. */
export function schemaForColumns(columns: Column[], primaryKey: string[]): Schema {
  return createSchema(toIcebergColumns(columns), { identifier: identifierOf(columns, primaryKey) });
}

/** The stream's columns as the table library takes them. */
export function toIcebergColumns(columns: Column[]): IcebergColumn[] {
  return columns.map(toIcebergColumn);
}

function toIcebergColumn({ name, type, nullable, doc }: Column): IcebergColumn {
  return { name, type: toIcebergType(type), required: !nullable, ...(doc !== undefined && { doc }) };
}

function toIcebergType(type: ColumnType): IcebergColumnType {
  if (typeof type === 'string') {
    const primitive = parsePrimitive(type);
    if (primitive.kind === 'decimal') return `decimal(${primitive.precision}, ${primitive.scale})`;
    if (primitive.kind === 'fixed') return `fixed[${primitive.length}]`;
    return primitive.kind;
  }
  if (type.type === 'list') {
    return { type: 'list', element: toIcebergType(type.element), 'element-required': type.elementRequired ?? false };
  }
  if (type.type === 'map') {
    const [key, value] = [toIcebergType(type.key), toIcebergType(type.value)];
    return { type: 'map', key, value, 'value-required': type.valueRequired ?? false };
  }
  const fields = type.fields.map((field) => ({
    name: field.name,
    type: toIcebergType(field.type),
    required: field.required ?? false,
  }));
  return { type: 'struct', fields };
}

/** Identifier fields must be required and not floating point (spec: Identifier Field IDs). */
function identifierOf(columns: Column[], primaryKey: string[]): string[] {
  const fit = columns.filter(
    ({ type, nullable }) => !nullable && typeof type === 'string' && type !== 'float' && type !== 'double',
  );
  const names = new Set(fit.map(({ name }) => name));
  return primaryKey.every((name) => names.has(name)) ? primaryKey : [];
}
