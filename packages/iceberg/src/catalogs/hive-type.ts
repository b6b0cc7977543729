import { type Type, isPrimitive, parsePrimitive } from '../data-type.ts';
import type { Schema } from '../schema.ts';

/** A column as Hive and Glue show it: they only show it, engines read the schema in the metadata file. */
export interface HiveColumn {
  readonly name: string;
  readonly type: string;
  readonly comment: string | undefined;
  readonly fieldId: number;
  readonly isOptional: boolean;
}

/** The columns of a schema with Hive's names of the types (Iceberg's HiveSchemaUtil). */
export function hiveColumns(schema: Schema): HiveColumn[] {
  return schema.fields.map(({ id, name, type, required, doc }) => {
    return { name, type: hiveType(type), comment: doc, fieldId: id, isOptional: !required };
  });
}

const HIVE_NAMES: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  int: 'int',
  long: 'bigint',
  float: 'float',
  double: 'double',
  date: 'date',
  time: 'string',
  timestamp: 'timestamp',
  timestamptz: 'timestamp with local time zone',
  timestamp_ns: 'timestamp',
  timestamptz_ns: 'timestamp with local time zone',
  string: 'string',
  uuid: 'string',
  fixed: 'binary',
  binary: 'binary',
};

function hiveType(type: Type): string {
  if (isPrimitive(type)) {
    const primitive = parsePrimitive(type);
    if (primitive.kind === 'decimal') return `decimal(${primitive.precision},${primitive.scale})`;
    return HIVE_NAMES[primitive.kind] ?? 'string';
  }
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}:${hiveType(field.type)}`).join(',')}>`;
    case 'list':
      return `array<${hiveType(type.element)}>`;
    case 'map':
      return `map<${hiveType(type.key)},${hiveType(type.value)}>`;
    default:
      return type satisfies never;
  }
}
