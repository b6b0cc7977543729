import { parsePrimitive, type PrimitiveType } from '@fjord/core';
import { valueOf } from './condition-sql.ts';
import type { UnrepresentablePolicy } from './config.ts';
import { quoteIdentifier } from './quoting.ts';
import type { StreamColumn } from './stream-columns.ts';

/** A value's text (null for null) as SQL, and whether its length stands before it in a row's text. */
export type CanonicalSql = { text: string; isFree: boolean };

/** The oid of bytea (pg_type.dat). */
const BYTEA = 17;
const DAY = 'YYYY-MM-DD';
const CLOCK = 'HH24:MI:SS.US';

/**
 * The canonical text (docs/verify.md) of a column's value as it is copied, what its type cannot hold as what takes its place; undefined
 * where the server does not render it as we do.
 */
export function canonicalSql(stream: StreamColumn, policy: UnrepresentablePolicy): CanonicalSql | undefined {
  const { column, mapping, baseType } = stream;
  if (typeof column.type !== 'string') return undefined;
  const primitive = parsePrimitive(column.type);
  if (primitive.kind === 'string') return { text: freeText(stream), isFree: true };
  if (primitive.kind === 'binary' && baseType.oid !== BYTEA) return undefined;
  if (mapping.wire === 'unbounded numeric') return undefined;
  const render = RENDERERS[primitive.kind];
  const value = valueOf(stream, policy);
  if (primitive.kind === 'decimal') return plain(`pg_catalog.round(${value}, ${primitive.scale})::pg_catalog.text`);
  return render && plain(render(value));
}

const plain = (text: string): CanonicalSql => ({ text, isFree: false });

const toText = (value: string) => `(${value})::pg_catalog.text`;
const toChar = (pattern: string) => (value: string) => `pg_catalog.to_char(${value}, '${pattern}')`;

const RENDERERS: Partial<Record<PrimitiveType['kind'], (value: string) => string>> = {
  boolean: toText,
  int: toText,
  long: toText,
  uuid: toText,
  float: doubleBits,
  double: doubleBits,
  date: toChar(DAY),
  time: toChar(CLOCK),
  timestamp: toChar(`${DAY}"T"${CLOCK}`),
  timestamptz: (value) => toChar(`${DAY}"T"${CLOCK}"Z"`)(`(${value}) AT TIME ZONE 'UTC'`),
  binary: (value) => `pg_catalog.encode(${value}, 'hex')`,
};

/** Text as COPY sends it: a cast would take the blanks from the end of a char(n), concat takes what the type's output gives. */
function freeText({ column, mapping }: StreamColumn): string {
  const name = quoteIdentifier(column.name);
  if (mapping.select) return mapping.select(name);
  return `CASE WHEN ${name} IS NOT NULL THEN pg_catalog.concat(${name}) END`;
}

function doubleBits(value: string): string {
  const double = `(${value})::pg_catalog.float8`;
  const bits = `pg_catalog.encode(pg_catalog.float8send(${double}), 'hex')`;
  return `CASE WHEN ${double} = 'NaN'::pg_catalog.float8 THEN 'NaN' ELSE ${bits} END`;
}
