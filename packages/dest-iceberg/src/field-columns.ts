import type { Column, ColumnType } from '@fjord/core';
import { isPrimitive, type NestedField, parsePrimitive, type Type } from '@fjord/iceberg/data-file-writing';

/** The columns that hold a table's fields. */
export function toColumns(fields: readonly NestedField[]): Column[] {
  return fields.map(({ name, type, required }) => ({ name, type: toColumnType(type), nullable: !required }));
}

/** A table's type as the protocol says it. */
export function toColumnType(type: Type): ColumnType {
  if (isPrimitive(type)) {
    const primitive = parsePrimitive(type);
    if (primitive.kind === 'decimal') return `decimal(${primitive.precision},${primitive.scale})`;
    return primitive.kind === 'fixed' ? `fixed(${primitive.length})` : primitive.kind;
  }
  if (type.type === 'list') return { type: 'list', element: toColumnType(type.element) };
  if (type.type === 'map') return { type: 'map', key: toColumnType(type.key), value: toColumnType(type.value) };
  return { type: 'struct', fields: type.fields.map((field) => ({ name: field.name, type: toColumnType(field.type) })) };
}
