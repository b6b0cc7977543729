import { type Static, type TSchema, Type } from './schema.ts';

/**
 * A column's type in Fjord's one vocabulary, from discovery to commit: Iceberg's type names. Primitive types are
 * strings (`long`, `decimal(12,2)`, `fixed(16)`); nested ones are objects. Source: Iceberg spec, "Schemas and Data Types".
 */
export type ColumnType = string | ListType | MapType | StructType;

export type ListType = { type: 'list'; element: ColumnType; elementRequired?: boolean };
export type MapType = { type: 'map'; key: ColumnType; value: ColumnType; valueRequired?: boolean };
export type StructType = { type: 'struct'; fields: StructField[] };
export type StructField = { name: string; type: ColumnType; required?: boolean };

/** A primitive type taken apart: `decimal(12,2)` becomes `{ kind: 'decimal', precision: 12, scale: 2 }`. */
export type PrimitiveType =
  | { kind: (typeof PLAIN_KINDS)[number] }
  | { kind: 'decimal'; precision: number; scale: number }
  | { kind: 'fixed'; length: number };

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
  'string',
  'uuid',
  'binary',
] as const;

const PRIMITIVE_PATTERN = `^(${PLAIN_KINDS.join('|')}|decimal\\(\\d+,\\d+\\)|fixed\\(\\d+\\))$`;

/** JSON Schema of `ColumnType`, as it travels in CATALOG and SCHEMA. */
export const ColumnTypeSchema = Type.Recursive(
  (self: TSchema) =>
    Type.Unsafe<ColumnType>(
      Type.Union([
        Type.String({ pattern: PRIMITIVE_PATTERN }),
        Type.Object({ type: Type.Literal('list'), element: self, elementRequired: Type.Optional(Type.Boolean()) }),
        Type.Object({
          type: Type.Literal('map'),
          key: self,
          value: self,
          valueRequired: Type.Optional(Type.Boolean()),
        }),
        Type.Object({
          type: Type.Literal('struct'),
          fields: Type.Array(Type.Object({ name: Type.String(), type: self, required: Type.Optional(Type.Boolean()) })),
        }),
      ]),
    ),
  { $id: 'ColumnType' },
);

/** Takes a primitive type name apart; throws on a name that is not in the vocabulary (the caller's schema check comes first). */
export function parsePrimitive(name: string): PrimitiveType {
  const plain = PLAIN_KINDS.find((kind) => kind === name);
  if (plain) return { kind: plain };
  const match = /^(decimal|fixed)\((\d+)(?:,(\d+))?\)$/.exec(name);
  if (match?.[1] === 'decimal' && match[3] !== undefined) {
    return { kind: 'decimal', precision: Number(match[2]), scale: Number(match[3]) };
  }
  if (match?.[1] === 'fixed' && match[3] === undefined) return { kind: 'fixed', length: Number(match[2]) };
  throw new Error(`unknown column type "${name}"`);
}

/** A type as one line of text for people: `list<string>`, `struct<a: int, b: date>`. */
export function formatColumnType(type: ColumnType): string {
  if (typeof type === 'string') return type;
  if (type.type === 'list') return `list<${formatColumnType(type.element)}>`;
  if (type.type === 'map') return `map<${formatColumnType(type.key)}, ${formatColumnType(type.value)}>`;
  return `struct<${type.fields.map((field) => `${field.name}: ${formatColumnType(field.type)}`).join(', ')}>`;
}

/**
 * A column of a stream. `sourceType` is the database's own name for its type, for people only. `id` is what the column is in its source
 * whatever it is called: the same for a renamed column, and never given to another one of the stream.
 */
export const ColumnSchema = Type.Object({
  name: Type.String(),
  id: Type.Optional(Type.String()),
  type: ColumnTypeSchema,
  nullable: Type.Boolean(),
  sourceType: Type.Optional(Type.String()),
  doc: Type.Optional(Type.String()),
});
export type Column = Static<typeof ColumnSchema>;
