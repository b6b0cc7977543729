import type { JavaScriptTypeBuilder, Static, TSchema } from '@sinclair/typebox';

export type { Static, TObject, TSchema } from '@sinclair/typebox';

type Json = Record<string | symbol, unknown>;

/** TypeBox's own mark of a property that may be absent, so that its schemas and these go together. */
const OPTIONAL = Symbol.for('TypeBox.Optional');

/** JSON Schemas as plain data. */
const builder = {
  String: (options: Json = {}) => ({ ...options, type: 'string' }),
  Number: (options: Json = {}) => ({ ...options, type: 'number' }),
  Integer: (options: Json = {}) => ({ ...options, type: 'integer' }),
  Boolean: (options: Json = {}) => ({ ...options, type: 'boolean' }),
  Null: (options: Json = {}) => ({ ...options, type: 'null' }),
  Literal: (value: unknown, options: Json = {}) => ({ ...options, const: value, type: typeof value }),
  Union: (schemas: Json[], options: Json = {}) =>
    schemas.length === 1 ? { ...schemas[0], ...options } : { ...options, anyOf: schemas },
  Array: (items: Json, options: Json = {}) => ({ ...options, type: 'array', items }),
  Tuple: (items: Json[], options: Json = {}) => {
    const { length } = items;
    return { ...options, type: 'array', items, additionalItems: false, minItems: length, maxItems: length };
  },
  Object: (properties: Record<string, Json>, options: Json = {}) => {
    const required = Object.keys(properties).filter((name) => !(OPTIONAL in (properties[name] ?? {})));
    return { ...options, type: 'object', ...(required.length > 0 && { required }), properties };
  },
  Record: (_key: Json, value: Json, options: Json = {}) => ({
    ...options,
    type: 'object',
    patternProperties: { '^(.*)$': value },
  }),
  Optional: (schema: Json) => ({ ...schema, [OPTIONAL]: 'Optional' }),
  Unsafe: (schema: Json = {}) => ({ ...schema }),
  Recursive: (make: (self: Json) => Json, options: Json) => ({
    ...options,
    ...make({ $ref: options['$id'] }),
    $id: options['$id'],
  }),
};

/**
 * Makes the schemas of configs, messages and states, with the types of TypeBox and the same JSON, but without loading it: its two hundred modules
 * would take 50 ms and 10 MB of every process and thread.
 */
export const Type = builder as unknown as Pick<JavaScriptTypeBuilder, keyof typeof builder>;

/** Keywords that say nothing about a value, or nothing more than was looked at. */
const NOTES = new Set(['type', 'title', 'description', 'default', '$id']);

/** Whether a value is of a schema made here, for data that one of our own programs has written. Throws on a keyword that it does not know. */
export function fits<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  if ('type' in schema && !isOfType(schema['type'], value)) return false;
  return Object.keys(schema).every((keyword) => NOTES.has(keyword) || meets(keyword, schema, value));
}

function meets(keyword: string, schema: TSchema, value: unknown): boolean {
  const expected: unknown = schema[keyword];
  switch (keyword) {
    case 'const':
      return value === expected;
    case 'anyOf':
      return (expected as TSchema[]).some((one) => fits(one, value));
    case 'minimum':
      return typeof value !== 'number' || value >= Number(expected);
    case 'exclusiveMinimum':
      return typeof value !== 'number' || value > Number(expected);
    case 'pattern':
      return typeof value !== 'string' || new RegExp(String(expected), 'u').test(value);
    case 'required':
      return (expected as string[]).every((name) => name in (value as object));
    case 'properties':
      return Object.entries(expected as Record<string, TSchema>).every(
        ([name, one]) => !(name in (value as object)) || fits(one, (value as Json)[name]),
      );
    case 'items':
      return (value as unknown[]).every((item, index) => {
        const one = Array.isArray(expected) ? (expected as TSchema[])[index] : (expected as TSchema);
        return one === undefined || fits(one, item);
      });
    case 'minItems':
      return (value as unknown[]).length >= Number(expected);
    case 'maxItems':
      return (value as unknown[]).length <= Number(expected);
    case 'additionalItems':
      // A tuple says the same by its number of items.
      return true;
    default:
      throw new Error(`values are not checked by "${keyword}" here`);
  }
}

function isOfType(type: unknown, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return Number.isFinite(value);
  return typeof value === type;
}
