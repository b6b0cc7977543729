import { IcebergError } from './errors.ts';

/** A JSON value's demanded shape: the name of a type, a list of one shape, or an object whose keys have shapes (`?` after a key: it may be absent). */
type Shape =
  | 'string'
  | 'number'
  | 'bigint'
  | 'boolean'
  | 'object'
  | readonly [Shape]
  | { readonly [key: string]: Shape };

/** What the rest of the library relies on (spec: Table Metadata Fields), once older versions have got the fields of the newer. */
const METADATA: Shape = {
  'table-uuid': 'string',
  location: 'string',
  'last-sequence-number': 'bigint',
  'last-updated-ms': 'number',
  'last-column-id': 'number',
  schemas: [{ 'schema-id': 'number', fields: ['object'], 'identifier-field-ids?': ['number'] }],
  'current-schema-id': 'number',
  'partition-specs': [
    {
      'spec-id': 'number',
      fields: [{ 'source-id?': 'number', 'field-id': 'number', name: 'string', transform: 'string' }],
    },
  ],
  'default-spec-id': 'number',
  'last-partition-id': 'number',
  properties: 'object',
  'current-snapshot-id?': 'bigint',
  snapshots: [
    {
      'snapshot-id': 'bigint',
      'parent-snapshot-id?': 'bigint',
      'sequence-number': 'bigint',
      'timestamp-ms': 'number',
      'manifest-list?': 'string',
      'summary?': 'object',
      'schema-id?': 'number',
      'first-row-id?': 'bigint',
      'added-rows?': 'bigint',
    },
  ],
  'snapshot-log': [{ 'timestamp-ms': 'number', 'snapshot-id': 'bigint' }],
  'metadata-log': [{ 'timestamp-ms': 'number', 'metadata-file': 'string' }],
  'sort-orders': [{ 'order-id': 'number', fields: ['object'] }],
  'default-sort-order-id': 'number',
  refs: 'object',
  'next-row-id?': 'bigint',
};

/** Throws `invalid_metadata`, naming the field, if metadata lacks a field or has one of another type. */
export function checkMetadataShape(json: Readonly<Record<string, unknown>>): void {
  checkShape(json, METADATA, 'Table metadata');
  for (const schema of json['schemas'] as Json[]) checkFields(schema, `schema ${String(schema['schema-id'])}`);
  for (const [name, ref] of Object.entries(json['refs'] as Json)) {
    checkShape(ref, { 'snapshot-id': 'bigint', type: 'string' }, `Ref "${name}"`);
  }
  for (const [name, value] of Object.entries(json['properties'] as Json)) {
    if (typeof value !== 'string') throw wrong(`Property "${name}"`, 'string');
  }
}

type Json = Readonly<Record<string, unknown>>;

function checkShape(value: unknown, shape: Shape, where: string): void {
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) throw wrong(where, 'list');
    for (const [index, item] of value.entries()) checkShape(item, shape[0] as Shape, `${where}[${index}]`);
    return;
  }
  if (typeof shape === 'string') {
    const isRight = shape === 'object' ? isJson(value) : typeof value === shape;
    if (!isRight) throw wrong(where, shape);
    return;
  }
  if (!isJson(value)) throw wrong(where, 'object');
  for (const [key, inner] of Object.entries(shape)) {
    const name = key.replace(/\?$/, '');
    const item = value[name];
    if (key.endsWith('?') && (item === undefined || item === null)) continue;
    checkShape(item, inner, `${where}: "${name}"`);
  }
}

/** Fields of a struct, and of what is nested in them. */
function checkFields(struct: unknown, where: string): void {
  checkShape(struct, { fields: [{ id: 'number', name: 'string', required: 'boolean' }] }, where);
  for (const field of (struct as { fields: Json[] }).fields)
    checkType(field['type'], `${where}, "${String(field['name'])}"`);
}

function checkType(type: unknown, where: string): void {
  if (typeof type === 'string') return;
  if (!isJson(type)) throw wrong(where, 'type');
  if (type['type'] === 'struct') return checkFields(type, where);
  if (type['type'] === 'list') {
    checkShape(type, { 'element-id': 'number', 'element-required': 'boolean' }, where);
    return checkType(type['element'], `${where}, element`);
  }
  if (type['type'] !== 'map') throw wrong(where, 'type');
  checkShape(type, { 'key-id': 'number', 'value-id': 'number', 'value-required': 'boolean' }, where);
  checkType(type['key'], `${where}, key`);
  checkType(type['value'], `${where}, value`);
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(where: string, wanted: string): IcebergError {
  return new IcebergError('invalid_metadata', `${where} is not of type ${wanted} as the spec demands.`);
}
