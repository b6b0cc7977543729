import {
  type ListType,
  type MapType,
  type NestedField,
  type PrimitiveType,
  type StructType,
  type Type,
  isPrimitive,
  parsePrimitive,
} from './data-type.ts';
import { IcebergError } from './errors.ts';

const LATEST_VERSION = 3;
const VERSION_3_TYPES: ReadonlySet<string> = new Set(['timestamp_ns', 'timestamptz_ns', 'unknown', 'variant']);

/** A table schema in the JSON shape of the spec (Appendix C: Schemas). Fields that the spec may add are kept as they are. */
export interface Schema extends StructType {
  readonly 'schema-id': number;
  readonly 'identifier-field-ids'?: readonly number[];
}

/** A column without ids: what `createSchema` takes. Not required unless said. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly required?: boolean;
  readonly doc?: string;
}

/** A column's type without ids. Elements and map values may be null unless said. */
export type ColumnType =
  | PrimitiveType
  | { readonly type: 'struct'; readonly fields: readonly Column[] }
  | { readonly type: 'list'; readonly element: ColumnType; readonly 'element-required'?: boolean }
  | { readonly type: 'map'; readonly key: ColumnType; readonly value: ColumnType; readonly 'value-required'?: boolean };

/** Options of `createSchema`. */
export interface SchemaOptions {
  /** Names of top-level required columns that identify a row (spec: Identifier Field IDs). */
  readonly identifier?: readonly string[];
  readonly schemaId?: number;
  /** The highest id already given out; new ids follow it. */
  readonly lastColumnId?: number;
}

/** Builds a schema from columns and gives out fresh field ids: first the columns', then those nested in each. */
export function createSchema(columns: readonly Column[], options: SchemaOptions = {}): Schema {
  let lastId = options.lastColumnId ?? 0;
  const fields = assignFieldIds(columns, () => ++lastId);
  const identifier = (options.identifier ?? []).map((name) => identifierFieldId(fields, name));
  const schema: Schema = {
    type: 'struct',
    'schema-id': options.schemaId ?? 0,
    fields,
    'identifier-field-ids': identifier,
  };
  checkSchema(schema);
  return schema;
}

/** Gives ids to a column's type, asking `nextId` for each: for columns added to a table that has ids already. */
export function assignTypeIds(type: ColumnType, nextId: () => number): Type {
  if (typeof type === 'string') return type;
  if (type.type === 'struct') return { type: 'struct', fields: assignFieldIds(type.fields, nextId) };
  if (type.type === 'list') {
    const id = nextId();
    const required = type['element-required'] ?? false;
    return {
      type: 'list',
      'element-id': id,
      'element-required': required,
      element: assignTypeIds(type.element, nextId),
    };
  }
  const [keyId, valueId] = [nextId(), nextId()];
  const key = assignTypeIds(type.key, nextId);
  const value = assignTypeIds(type.value, nextId);
  return {
    type: 'map',
    'key-id': keyId,
    key,
    'value-id': valueId,
    'value-required': type['value-required'] ?? false,
    value,
  };
}

/** The highest field id in a schema, nested ids included; 0 for a schema without fields. */
export function highestFieldId(schema: StructType): number {
  return Math.max(0, ...fieldsById(schema).keys());
}

/** All fields by id, nested ones included; list elements, map keys and values are named `element`, `key` and `value`. */
export function fieldsById(schema: StructType): Map<number, NestedField> {
  const fields = new Map<number, NestedField>();
  for (const field of nestedFields(schema)) {
    if (fields.has(field.id))
      throw new IcebergError('invalid_metadata', `Field id ${field.id} is used twice in the schema.`);
    fields.set(field.id, field);
  }
  return fields;
}

/** A field by its name, or by the dotted path of a field within structs. A name that holds dots wins over a path. */
export function fieldByName(schema: StructType, name: string): NestedField | undefined {
  const whole = schema.fields.find((field) => field.name === name);
  if (whole) return whole;
  for (const field of schema.fields) {
    if (isPrimitive(field.type) || field.type.type !== 'struct' || !name.startsWith(`${field.name}.`)) continue;
    const found = fieldByName(field.type, name.slice(field.name.length + 1));
    if (found) return found;
  }
  return undefined;
}

/**
 * Throws `invalid_metadata` if ids repeat, a type is unknown or of a later format version, sibling names repeat or an identifier field is
 * not fit.
 */
export function checkSchema(schema: Schema, version: number = LATEST_VERSION): void {
  const fields = fieldsById(schema);
  for (const field of fields.values()) checkType(field, version);
  checkNames(schema);
  for (const id of schema['identifier-field-ids'] ?? []) {
    const field = fields.get(id);
    if (field?.required && isPrimitive(field.type) && field.type !== 'float' && field.type !== 'double') continue;
    throw new IcebergError(
      'invalid_metadata',
      `Identifier field "${field?.name ?? id}" must be a required primitive column other than float and double.`,
    );
  }
}

/** True if two schemas have the same fields and identifier, whatever their schema ids. */
export function hasSameFields(a: Schema, b: Schema): boolean {
  const content = (schema: Schema) =>
    JSON.stringify([schema.fields.map(sortKeys), schema['identifier-field-ids'] ?? []]);
  return content(a) === content(b);
}

function assignFieldIds(columns: readonly Column[], nextId: () => number): NestedField[] {
  const ids = columns.map(nextId);
  return columns.map((column, index) => ({
    id: ids[index] ?? 0,
    name: column.name,
    required: column.required ?? false,
    type: assignTypeIds(column.type, nextId),
    ...(column.doc === undefined ? {} : { doc: column.doc }),
  }));
}

function identifierFieldId(fields: readonly NestedField[], name: string): number {
  const field = fields.find((candidate) => candidate.name === name);
  if (!field) throw new IcebergError('invalid_argument', `Identifier column "${name}" is not a column of the schema.`);
  return field.id;
}

function* nestedFields(type: Type): Generator<NestedField> {
  if (isPrimitive(type)) return;
  for (const field of directFields(type)) {
    yield field;
    yield* nestedFields(field.type);
  }
}

/** The fields directly below a nested type: those of a struct, a list's element, a map's key and value. */
export function directFields(type: StructType | ListType | MapType): readonly NestedField[] {
  if (type.type === 'struct') return type.fields;
  if (type.type === 'list') {
    return [{ id: type['element-id'], name: 'element', required: type['element-required'], type: type.element }];
  }
  return [
    { id: type['key-id'], name: 'key', required: true, type: type.key },
    { id: type['value-id'], name: 'value', required: type['value-required'], type: type.value },
  ];
}

function checkType({ name, type }: NestedField, version: number): void {
  if (!isPrimitive(type)) return;
  const { kind } = parsePrimitive(type);
  if (version >= LATEST_VERSION || !VERSION_3_TYPES.has(kind)) return;
  throw new IcebergError('invalid_metadata', `Column "${name}" is ${type}, which needs a table of format version 3.`);
}

function checkNames(type: Type): void {
  if (isPrimitive(type)) return;
  const names = new Set<string>();
  for (const field of directFields(type)) {
    if (names.has(field.name))
      throw new IcebergError('invalid_metadata', `Column "${field.name}" appears twice in the schema.`);
    names.add(field.name);
    checkNames(field.type);
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}
