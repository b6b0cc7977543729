import { IcebergError } from './errors.ts';

/** A primitive type as the spec writes it in JSON (spec: Schemas and Data Types; Appendix C). */
export type PrimitiveType =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'timestamp_ns'
  | 'timestamptz_ns'
  | 'string'
  | 'uuid'
  | 'binary'
  | 'unknown'
  | 'variant'
  | `decimal(${number}, ${number})`
  | `decimal(${number},${number})`
  | `fixed[${number}]`;

/** A struct: an ordered list of fields with ids. */
export interface StructType {
  readonly type: 'struct';
  readonly fields: readonly NestedField[];
}

/** A list; the element has a field id of its own. */
export interface ListType {
  readonly type: 'list';
  readonly 'element-id': number;
  readonly 'element-required': boolean;
  readonly element: Type;
}

/** A map; key and value have field ids of their own, keys are never null. */
export interface MapType {
  readonly type: 'map';
  readonly 'key-id': number;
  readonly key: Type;
  readonly 'value-id': number;
  readonly 'value-required': boolean;
  readonly value: Type;
}

/** Any Iceberg type, in the JSON shape of the spec. */
export type Type = PrimitiveType | StructType | ListType | MapType;

/** A field of a struct or schema (spec: Nested Types). */
export interface NestedField {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: Type;
  readonly doc?: string;
}

/** A primitive type taken apart, so that it can be switched over. */
export type Primitive =
  | { readonly kind: PlainKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'fixed'; readonly length: number };

/** The primitive types without parameters. */
export type PlainKind = (typeof PLAIN_KINDS)[number];

const PLAIN_KINDS = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'binary',
  'unknown',
  'variant',
] as const;

const PLAIN: ReadonlyMap<string, Primitive> = new Map(PLAIN_KINDS.map((kind) => [kind, { kind }]));

/** Takes a primitive type's name apart. Throws `invalid_metadata` for a name that the spec does not know. */
export function parsePrimitive(type: string): Primitive {
  const plain = PLAIN.get(type);
  if (plain) return plain;
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type);
  if (decimal) return parseDecimal(type, Number(decimal[1]), Number(decimal[2]));
  const fixed = /^fixed\[\s*(\d+)\s*\]$/.exec(type);
  if (fixed) return { kind: 'fixed', length: Number(fixed[1]) };
  throw new IcebergError('invalid_metadata', `"${type}" is not an Iceberg type.`);
}

/** True for a type written as one word: not a struct, list or map. */
export function isPrimitive(type: Type): type is PrimitiveType {
  return typeof type === 'string';
}

function parseDecimal(type: string, precision: number, scale: number): Primitive {
  if (precision < 1 || precision > 38 || scale > precision) {
    throw new IcebergError(
      'invalid_metadata',
      `"${type}" is not an Iceberg type: precision is 1 to 38, scale at most that.`,
    );
  }
  return { kind: 'decimal', precision, scale };
}
