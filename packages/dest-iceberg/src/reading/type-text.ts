import { ConnectorError } from '@fjord/core';
import { isPrimitive, parsePrimitive, type Type } from '@fjord/iceberg';

/** A type as a person reads it: `list<long>`, `struct<a: int, b: string>`. */
export function typeText(type: Type): string {
  if (isPrimitive(type)) return type;
  if (type.type === 'list') return `list<${typeText(type.element)}>`;
  if (type.type === 'map') return `map<${typeText(type.key)}, ${typeText(type.value)}>`;
  return `struct<${type.fields.map(({ name, type: inner }) => `${name}: ${typeText(inner)}`).join(', ')}>`;
}

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  timestamp_ns: 'TIMESTAMP_NS',
  string: 'VARCHAR',
  uuid: 'UUID',
  binary: 'BLOB',
  fixed: 'BLOB',
};

/** The DuckDB type that holds all values of a column. Throws `unsupported` where DuckDB has none; `column` names it. */
export function duckdbType(type: Type, column: string): string {
  if (!isPrimitive(type)) {
    if (type.type === 'list') return `${duckdbType(type.element, column)}[]`;
    if (type.type === 'map') return `MAP(${duckdbType(type.key, column)}, ${duckdbType(type.value, column)})`;
    const fields = type.fields.map((field) => `${quoteName(field.name)} ${duckdbType(field.type, column)}`);
    return `STRUCT(${fields.join(', ')})`;
  }
  const primitive = parsePrimitive(type);
  if (primitive.kind === 'decimal') return `DECIMAL(${primitive.precision}, ${primitive.scale})`;
  const name = DUCKDB_TYPES[primitive.kind];
  if (name !== undefined) return name;
  throw new ConnectorError('unsupported', `Column ${column} is of type ${type}, which DuckDB cannot read.`);
}

/** An identifier of SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text of SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
