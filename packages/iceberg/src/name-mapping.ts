import { type StructType, isPrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';
import { directFields } from './schema.ts';

/**
 * Names of a field in data files that carry no field ids (spec: Column Projection, name mapping). Elements of lists are named `element`,
 * keys and values of maps `key` and `value`.
 */
export interface MappedField {
  readonly 'field-id'?: number;
  readonly names: readonly string[];
  readonly fields?: readonly MappedField[];
}

/** The table property that holds a table's name mapping. */
export const NAME_MAPPING_PROPERTY = 'schema.name-mapping.default';

/** A mapping of every field by its own name. */
export function createNameMapping(schema: StructType): MappedField[] {
  return directFields(schema).map((field) => {
    const fields = isPrimitive(field.type)
      ? []
      : createNameMapping({ type: 'struct', fields: directFields(field.type) });
    return { 'field-id': field.id, names: [field.name], ...(fields.length > 0 ? { fields } : {}) };
  });
}

/** Reads the mapping of a table's properties; undefined if it has none. Throws `invalid_metadata` for one that is not of the spec's shape. */
export function parseNameMapping(properties: Readonly<Record<string, string>>): MappedField[] | undefined {
  const text = properties[NAME_MAPPING_PROPERTY];
  if (text === undefined) return undefined;
  try {
    const mapping: unknown = JSON.parse(text);
    if (isMapping(mapping)) return mapping;
  } catch (cause) {
    throw new IcebergError('invalid_metadata', `Table property ${NAME_MAPPING_PROPERTY} is not JSON.`, { cause });
  }
  throw new IcebergError('invalid_metadata', `Table property ${NAME_MAPPING_PROPERTY} is not a list of mapped fields.`);
}

/** The mapping with the fields that a schema has gained: a file without ids that is added later may hold them. Earlier names stay. */
export function extendNameMapping(mapping: readonly MappedField[], schema: StructType): MappedField[] {
  const known = new Map(mapping.map((field) => [field['field-id'], field]));
  const extended = createNameMapping(schema).map((field): MappedField => {
    const earlier = known.get(field['field-id']);
    if (!earlier) return field;
    known.delete(field['field-id']);
    const names = [...new Set([...earlier.names, ...field.names])];
    const type = directFields(schema).find(({ id }) => id === field['field-id'])?.type;
    if (!field.fields || type === undefined || isPrimitive(type)) return { ...earlier, names };
    return {
      ...earlier,
      names,
      fields: extendNameMapping(earlier.fields ?? [], { type: 'struct', fields: directFields(type) }),
    };
  });
  return [...extended, ...known.values()];
}

/** The id of a column of a file without ids, by its path of names; undefined if the mapping does not know it: then it is not a column of the table. */
export function findMappedId(mapping: readonly MappedField[], path: readonly string[]): number | undefined {
  const [name, ...rest] = path;
  const field = mapping.find(({ names }) => name !== undefined && names.includes(name));
  return rest.length === 0 ? field?.['field-id'] : findMappedId(field?.fields ?? [], rest);
}

function isMapping(value: unknown): value is MappedField[] {
  return Array.isArray(value) && value.every((item: unknown) => isMappedField(item));
}

function isMappedField(value: unknown): value is MappedField {
  if (typeof value !== 'object' || value === null || !('names' in value) || !Array.isArray(value.names)) return false;
  return !('fields' in value) || isMapping(value.fields);
}
