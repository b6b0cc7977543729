import { type Column, type ColumnType, ConnectorError, parsePrimitive } from '@fjord/core';
import {
  assignTypeIds,
  type ColumnType as IcebergColumnType,
  type Column as IcebergColumn,
  createSchema,
  highestFieldId,
  type Schema,
  type Type,
} from '@fjord/iceberg';

/** The Iceberg schema for a stream's columns, with fresh field ids; the primary key becomes the identifier fields where the spec allows. */
export function schemaForColumns(columns: Column[], primaryKey: string[]): Schema {
  return createSchema(columns.map(toIcebergColumn), { identifier: identifierOf(columns, primaryKey) });
}

/**
 * The table's schema with what the stream's columns need and it lacks: added columns, and columns that may now be null.
 * Undefined when it fits as it is; `schema_incompatible` when a column's type is another one.
 */
export function evolveSchema(schema: Schema, columns: Column[], lastColumnId: number): Schema | undefined {
  let lastId = Math.max(lastColumnId, highestFieldId(schema));
  const known = new Map(schema.fields.map((field) => [field.name, field]));
  const added = columns.filter(({ name }) => !known.has(name));
  const relaxed = new Set<string>();
  for (const column of columns) {
    const field = known.get(column.name);
    if (!field) continue;
    if (!isSameType(field.type, toIcebergType(column.type))) throw incompatible(column, field.type);
    if (field.required && column.nullable) relaxed.add(field.name);
  }
  if (added.length === 0 && relaxed.size === 0) return undefined;
  const nextId = () => ++lastId;
  const newFields = added.map((column) => {
    const { name, type, doc } = toIcebergColumn(column);
    // Rows that are already there have no value for it, so it cannot be required.
    return {
      id: nextId(),
      name,
      required: false,
      type: assignTypeIds(type, nextId),
      ...(doc !== undefined && { doc }),
    };
  });
  const fields = schema.fields.map((field) => (relaxed.has(field.name) ? { ...field, required: false } : field));
  const relaxedIds = new Set(schema.fields.filter(({ name }) => relaxed.has(name)).map(({ id }) => id));
  const identifier = (schema['identifier-field-ids'] ?? []).filter((id) => !relaxedIds.has(id));
  return { ...schema, fields: [...fields, ...newFields], 'identifier-field-ids': identifier };
}

/** The columns' fields in the table, in the columns' order: what a data file of these columns is made of. */
export function fieldsForColumns(schema: Schema, columns: Column[]): Schema['fields'] {
  const byName = new Map(schema.fields.map((field) => [field.name, field]));
  return columns.map(({ name }) => {
    const field = byName.get(name);
    if (!field) throw new Error(`the table has no column for "${name}" though its schema was evolved`);
    return field;
  });
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

function isSameType(actual: Type, wanted: IcebergColumnType): boolean {
  if (typeof actual === 'string' || typeof wanted === 'string') return withoutSpaces(actual) === withoutSpaces(wanted);
  if (actual.type === 'list' && wanted.type === 'list') return isSameType(actual.element, wanted.element);
  if (actual.type === 'map' && wanted.type === 'map') {
    return isSameType(actual.key, wanted.key) && isSameType(actual.value, wanted.value);
  }
  if (actual.type !== 'struct' || wanted.type !== 'struct' || actual.fields.length !== wanted.fields.length)
    return false;
  return wanted.fields.every((field, index) => {
    const other = actual.fields[index];
    return other?.name === field.name && isSameType(other.type, field.type);
  });
}

const withoutSpaces = (type: unknown) => (typeof type === 'string' ? type.replaceAll(' ', '') : undefined);

/** Identifier fields must be required and not floating point (spec: Identifier Field IDs). */
function identifierOf(columns: Column[], primaryKey: string[]): string[] {
  const fit = columns.filter(
    ({ type, nullable }) => !nullable && typeof type === 'string' && type !== 'float' && type !== 'double',
  );
  const names = new Set(fit.map(({ name }) => name));
  return primaryKey.every((name) => names.has(name)) ? primaryKey : [];
}

function incompatible(column: Column, actual: Type): ConnectorError {
  const there = typeof actual === 'string' ? actual : actual.type;
  const wanted = typeof column.type === 'string' ? column.type : column.type.type;
  return new ConnectorError(
    'schema_incompatible',
    `Column "${column.name}" is ${there} in the table and ${wanted} in the stream.`,
  );
}
