import { type NestedField, type PrimitiveType, type StructType, type Type, isPrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';
import { type Column, type ColumnType, type Schema, assignTypeIds, hasSameFields, highestFieldId } from './schema.ts';
import { isPromotable } from './type-promotion.ts';

/** Options of `evolveSchema`. */
export interface EvolutionOptions {
  /** The highest id that the table ever gave out (`last-column-id`). */
  readonly lastColumnId: number;
  /** What becomes of a column whose table column cannot hold its type: `schema_incompatible` is thrown unless said, or it gets a new one. */
  readonly onIncompatible?: 'fail' | 'new-column' | undefined;
}

/**
 * The table's schema with what rows of `columns` need and it lacks, and no more: columns and fields of structs are added, types widened
 * (see `isPromotable`), and what rows may lack becomes optional; a table column of a wider type is kept. Undefined if it fits as it is.
 * Throws `schema_incompatible` for a column whose type the table's can neither hold nor be widened to, unless it may have a new column:
 * that is named for the type, `price__string`.
 */
export function evolveSchema(
  schema: Schema,
  columns: readonly Column[],
  options: EvolutionOptions,
): Schema | undefined {
  let lastId = Math.max(options.lastColumnId, highestFieldId(schema));
  const nextId = () => ++lastId;
  const matches = matchColumns(schema, columns);
  const evolved = new Map<number, NestedField>();
  const added: NestedField[] = [];
  const names = new Set([...schema.fields, ...columns].map(({ name }) => name));
  for (const column of columns) {
    const field = matches.get(column);
    if (field) evolved.set(field.id, mergeField(field, column, nextId));
    else added.push(addColumn({ schema, column, names, nextId, options }));
  }
  // A column that rows no longer have is null in them.
  const fields = schema.fields.map((field) => evolved.get(field.id) ?? { ...field, required: false });
  const required = new Set(fields.filter((field) => field.required).map(({ id }) => id));
  const identifier = (schema['identifier-field-ids'] ?? []).filter((id) => required.has(id));
  const result = { ...schema, fields: [...fields, ...added], 'identifier-field-ids': identifier };
  return hasSameFields(result, schema) ? undefined : result;
}

/** The schema with some of its top-level columns renamed, old names to new ones; their ids, and so their values, stay. Throws `invalid_argument` for a name twice. */
export function renameColumns(schema: Schema, names: ReadonlyMap<string, string>): Schema {
  if (names.size === 0) return schema;
  const fields = schema.fields.map((field) => ({ ...field, name: names.get(field.name) ?? field.name }));
  const twice = fields.find(({ name }, index) => fields.findIndex((field) => field.name === name) !== index);
  if (!twice) return { ...schema, fields };
  throw new IcebergError('invalid_argument', `Two columns would be called "${twice.name}".`);
}

/**
 * The fields of a data file that holds `columns` in this order: ids, names and nullability are the table's, types the columns' own, which
 * may be narrower. Fields are found by name, or by their `ids` where these are known. Throws `schema_incompatible` if the schema has no place
 * for a column: evolve it first.
 */
export function fileFields(schema: Schema, columns: readonly Column[], ids?: readonly number[]): NestedField[] {
  const matches = ids ? undefined : matchColumns(schema, columns);
  const byId = new Map(schema.fields.map((field) => [field.id, field]));
  return columns.map((column, index) => {
    const field = matches ? matches.get(column) : byId.get(ids?.[index] ?? -1);
    if (!field || !canHold(field.type, column.type)) throw incompatible(column, field?.type);
    return { ...field, type: fileType(field.type, column.type) };
  });
}

/** The table column of each column: of its name if that can hold it or be widened, else one that was added for it because of its type. */
function matchColumns(schema: Schema, columns: readonly Column[]): Map<Column, NestedField> {
  const free = new Map(schema.fields.map((field) => [field.name, field]));
  const matches = new Map<Column, NestedField>();
  const claim = (column: Column, field: NestedField) => {
    matches.set(column, field);
    free.delete(field.name);
  };
  for (const column of columns) {
    const field = free.get(column.name);
    if (field && isMergeable(field.type, column.type)) claim(column, field);
  }
  for (const column of columns) {
    if (matches.has(column)) continue;
    const alternative = [...free.values()].find(
      ({ name, type }) => isNamedForType(name, column) && isMergeable(type, column.type),
    );
    if (alternative) claim(column, alternative);
  }
  return matches;
}

interface Addition {
  readonly schema: Schema;
  readonly column: Column;
  readonly names: Set<string>;
  readonly nextId: () => number;
  readonly options: EvolutionOptions;
}

function addColumn({ schema, column, names, nextId, options }: Addition): NestedField {
  const namesake = schema.fields.find(({ name }) => name === column.name);
  if (namesake && options.onIncompatible !== 'new-column') throw incompatible(column, namesake.type);
  const id = nextId();
  let { name } = column;
  for (let count = 1; namesake && names.has(name); count++) name = nameForType(column, count);
  names.add(name);
  const doc = column.doc === undefined ? {} : { doc: column.doc };
  // Rows that are already there have no value for it, so it cannot be required.
  return { id, name, required: false, type: assignTypeIds(column.type, nextId), ...doc };
}

function nameForType({ name, type }: Column, count: number): string {
  const word = (typeof type === 'string' ? type : type.type).replaceAll(/[^a-z0-9]+/g, '_').replace(/_$/, '');
  return `${name}__${word}${count === 1 ? '' : `_${count}`}`;
}

function isNamedForType(name: string, column: Column): boolean {
  const [stem, type] = [`${column.name}__`, name.slice(column.name.length + 2)];
  const kind = (typeof column.type === 'string' ? column.type : column.type.type).split(/[^a-z]/, 1)[0] ?? '';
  return name.startsWith(stem) && /^[a-z]+/.exec(type)?.[0] === kind;
}

function isMergeable(field: Type, column: ColumnType): boolean {
  if (isPrimitive(field) || typeof column === 'string') {
    if (!isPrimitive(field) || typeof column !== 'string') return false;
    return isPromotable(column, field) || isPromotable(field, column);
  }
  if (field.type === 'list') return column.type === 'list' && isMergeable(field.element, column.element);
  if (field.type === 'map') {
    // Keys cannot evolve: equal ones might not be afterwards.
    return column.type === 'map' && canHold(field.key, column.key) && isMergeable(field.value, column.value);
  }
  if (column.type !== 'struct') return false;
  return column.fields.every((inner) => {
    const own = field.fields.find(({ name }) => name === inner.name);
    return own === undefined || isMergeable(own.type, inner.type);
  });
}

/** Whether rows of the column fit without any change of the type. */
function canHold(field: Type, column: ColumnType): boolean {
  if (isPrimitive(field) || typeof column === 'string') {
    return isPrimitive(field) && typeof column === 'string' && isPromotable(column, field);
  }
  if (field.type === 'list') return column.type === 'list' && canHold(field.element, column.element);
  if (field.type === 'map')
    return column.type === 'map' && canHold(field.key, column.key) && canHold(field.value, column.value);
  if (column.type !== 'struct') return false;
  return column.fields.every((inner) => {
    const own = field.fields.find(({ name }) => name === inner.name);
    return own !== undefined && canHold(own.type, inner.type);
  });
}

function mergeField(field: NestedField, column: Column, nextId: () => number): NestedField {
  const required = field.required && (column.required ?? false);
  return { ...field, required, type: mergeType(field.type, column.type, nextId) };
}

function mergeType(field: Type, column: ColumnType, nextId: () => number): Type {
  if (isPrimitive(field) || typeof column === 'string') return widen(field, column);
  if (field.type === 'list' && column.type === 'list') {
    const required = field['element-required'] && (column['element-required'] ?? false);
    return { ...field, 'element-required': required, element: mergeType(field.element, column.element, nextId) };
  }
  if (field.type === 'map' && column.type === 'map') {
    const required = field['value-required'] && (column['value-required'] ?? false);
    return { ...field, 'value-required': required, value: mergeType(field.value, column.value, nextId) };
  }
  if (field.type === 'struct' && column.type === 'struct') return mergeStruct(field, column.fields, nextId);
  throw new Error('types were merged that do not match');
}

function mergeStruct(struct: StructType, columns: readonly Column[], nextId: () => number): StructType {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const fields = struct.fields.map((field) => {
    const column = byName.get(field.name);
    return column ? mergeField(field, column, nextId) : { ...field, required: false };
  });
  const known = new Set(struct.fields.map(({ name }) => name));
  const added = columns
    .filter(({ name }) => !known.has(name))
    .map(({ name, type }): NestedField => {
      const id = nextId();
      return { id, name, required: false, type: assignTypeIds(type, nextId) };
    });
  return { ...struct, fields: [...fields, ...added] };
}

function widen(field: Type, column: ColumnType): Type {
  if (!isPrimitive(field) || typeof column !== 'string') throw new Error('types were merged that do not match');
  return isPromotable(column, field) ? field : column;
}

/** Ids and nullability of the table, types of the column; the fields of structs in the column's order. */
function fileType(field: Type, column: ColumnType): Type {
  if (isPrimitive(field) || typeof column === 'string') return column as PrimitiveType;
  if (field.type === 'list' && column.type === 'list')
    return { ...field, element: fileType(field.element, column.element) };
  if (field.type === 'map' && column.type === 'map') {
    return { ...field, key: fileType(field.key, column.key), value: fileType(field.value, column.value) };
  }
  if (field.type !== 'struct' || column.type !== 'struct') throw new Error('types were matched that do not fit');
  const fields = column.fields.flatMap((inner) => {
    const own = field.fields.find(({ name }) => name === inner.name);
    return own ? [{ ...own, type: fileType(own.type, inner.type) }] : [];
  });
  return { ...field, fields };
}

function incompatible(column: Column, actual: Type | undefined): IcebergError {
  const there = actual === undefined ? 'missing' : isPrimitive(actual) ? actual : actual.type;
  const wanted = typeof column.type === 'string' ? column.type : column.type.type;
  return new IcebergError(
    'schema_incompatible',
    `Column "${column.name}" is ${there} in the table and ${wanted} in the rows.`,
  );
}
