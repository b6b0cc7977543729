import {
  type Column,
  type Comparison,
  type Condition,
  ConnectorError,
  type Literal,
  parsePrimitive,
  type PrimitiveType,
} from '@fjord/core';
import type { UnrepresentablePolicy } from './config.ts';
import { quoteLiteral } from './quoting.ts';
import type { StreamColumn } from './stream-columns.ts';
import { selectExpression } from './column-types.ts';

/** What rendering needs to know: the columns that the condition names, and what becomes of values that a column cannot hold. */
export type ConditionColumns = { columns: readonly StreamColumn[]; unrepresentable: UnrepresentablePolicy };

/**
 * A condition as an expression for WHERE, with the meaning of docs/streams.md whatever the collation and encoding of the database. COPY
 * takes no parameters: names are quoted, every literal is a quoted constant with the column's type behind it.
 */
export function renderCondition(condition: Condition, context: ConditionColumns): string {
  if ('and' in condition) return join(condition.and, 'AND', context);
  if ('or' in condition) return join(condition.or, 'OR', context);
  if ('not' in condition) return `NOT ${renderCondition(condition.not, context)}`;
  const column = context.columns.find(({ column: { name } }) => name === condition.column);
  if (!column) throw new Error(`the condition's column ${condition.column} was not loaded`);
  const value = valueOf(column, context.unrepresentable);
  if ('isNull' in condition) return `(${value} IS ${condition.isNull ? '' : 'NOT '}NULL)`;
  if ('like' in condition) return `(${value} LIKE ${quoteLiteral(condition.like)} COLLATE pg_catalog."C")`;
  if ('in' in condition) return renderMembership(value, condition.in, column);
  return renderComparison(value, condition, column);
}

/** Without parts `and` is true and `or` is false. */
function join(conditions: Condition[], word: 'AND' | 'OR', context: ConditionColumns): string {
  if (conditions.length === 0) return word === 'AND' ? 'true' : 'false';
  return `(${conditions.map((condition) => renderCondition(condition, context)).join(` ${word} `)})`;
}

/**
 * The column as the destination gets it: a value that its type cannot hold is compared as what takes its place. A text is what COPY sends
 * of it, but for char(n) without the blanks at its end.
 */
export function valueOf(stream: StreamColumn, policy: UnrepresentablePolicy): string {
  const { column, mapping } = stream;
  const value = plainValue(stream);
  if (mapping.misfit === 'none' || policy === 'fail' || !column.nullable) return value;
  if (mapping.wire === 'unbounded numeric') return withinDigits(value, column, policy);
  const type = serverType(column);
  const bounds = BOUNDS[type];
  if (!bounds) return `nullif(${value}, 'NaN'::pg_catalog.${type})`;
  const [lowest = '', highest = ''] = bounds.map((bound) => constant(bound, type));
  return withinBounds(value, { lowest, highest, policy });
}

type Limits = { lowest: string; highest: string; policy: UnrepresentablePolicy };

function withinBounds(value: string, { lowest, highest, policy }: Limits): string {
  if (policy === 'null') return `CASE WHEN ${value} BETWEEN ${lowest} AND ${highest} THEN ${value} END`;
  // Both skip nulls: a null must stay one.
  return `CASE WHEN ${value} IS NOT NULL THEN least(greatest(${value}, ${lowest}), ${highest}) END`;
}

/** A numeric of any digits as a decimal of some: null if it has more, or rounded and limited; NaN is always null. */
function withinDigits(value: string, { type }: Column, policy: UnrepresentablePolicy): string {
  const decimal = typeof type === 'string' ? parsePrimitive(type) : undefined;
  if (decimal?.kind !== 'decimal') throw new Error('a numeric was mapped to no decimal');
  const { precision, scale } = decimal;
  const greatest = `${'9'.repeat(precision - scale) || '0'}.${'9'.repeat(scale)}`.replace(/\.$/, '');
  const rounded = `pg_catalog.round(${value}, ${scale})`;
  const number = policy === 'null' ? `CASE WHEN ${value} = ${rounded} THEN ${value} END` : rounded;
  const [lowest, highest] = [constant(`-${greatest}`, 'numeric'), constant(greatest, 'numeric')];
  return withinBounds(`nullif(${number}, 'NaN'::pg_catalog.numeric)`, { lowest, highest, policy });
}

/** The column in the type that it is compared in; types of the server's own numbers have no cast but over text. */
function plainValue({ column, mapping, baseType }: StreamColumn): string {
  const type = serverType(column);
  const value = selectExpression(column, mapping);
  if (mapping.wire === 'oid' || mapping.wire === 'xid8') return `${value}::pg_catalog.text::pg_catalog.${type}`;
  if (type === 'bytea' && baseType.oid !== BYTEA) {
    throw new ConnectorError(
      'unsupported',
      `A filter cannot compare column "${column.name}", whose type is not bytea.`,
    );
  }
  return `${value}::pg_catalog.${type}`;
}

/** What the destination's types can hold of PostgreSQL's (copy/times.ts). */
const BOUNDS: Partial<Record<string, [string, string]>> = {
  date: ['0001-01-01', '9999-12-31'],
  time: ['00:00:00', '23:59:59.999999'],
  timestamp: ['0001-01-01T00:00:00', '9999-12-31T23:59:59.999999'],
  timestamptz: ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z'],
};

/** PostgreSQL's type for a column's type: what both sides of a comparison are cast to. */
function serverType({ name, type }: Column): string {
  const { kind } = parsePrimitive(typeof type === 'string' ? type : 'string');
  const found = SERVER_TYPES[kind];
  if (typeof type !== 'string' || !found) throw new Error(`column ${name} has no type that can be compared`);
  return found;
}

const SERVER_TYPES: Partial<Record<PrimitiveType['kind'], string>> = {
  boolean: 'bool',
  int: 'int4',
  long: 'int8',
  float: 'float4',
  double: 'float8',
  decimal: 'numeric',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  string: 'text',
  uuid: 'uuid',
  binary: 'bytea',
};

function renderMembership(value: string, literals: Literal[], column: StreamColumn): string {
  if (literals.length === 0) return `(${value} IS NULL AND NULL)`;
  if (column.column.type === 'string') {
    const bytes = literals.map((literal) => textBytes(String(literal), column));
    return `(${utf8(value)} IN (${bytes.join(', ')}))`;
  }
  return `(${value} IN (${literals.map((literal) => typed(literal, column)).join(', ')}))`;
}

type Compared = { compare: Comparison; value: Literal };

function renderComparison(value: string, { compare, value: literal }: Compared, column: StreamColumn): string {
  const operator = compare === '!=' ? '<>' : compare;
  if (column.column.type !== 'string') return `(${value} ${operator} ${typed(literal, column)})`;
  return `(${utf8(value)} ${operator} ${textBytes(String(literal), column)})`;
}

/** Text is compared by its bytes in UTF-8: no collation has a say, nor has the encoding of the database. */
const utf8 = (value: string) => `pg_catalog.convert_to(${value}, 'UTF8')`;

function textBytes(text: string, { baseType }: StreamColumn): string {
  const kept = baseType.oid === BPCHAR ? text.replace(/ +$/, '') : text;
  return constant(`\\x${Buffer.from(kept).toString('hex')}`, 'bytea');
}

/** The oids of char(n) and bytea (pg_type.dat). */
const BPCHAR = 1042;
const BYTEA = 17;

/** A literal in the form that its type's input takes whatever the session's settings. */
function typed(literal: Literal, { column }: StreamColumn): string {
  const isBytes = column.type === 'binary';
  const text = isBytes ? `\\x${Buffer.from(String(literal), 'base64').toString('hex')}` : String(literal);
  return constant(text, serverType(column));
}

const constant = (text: string, type: string) => `${quoteLiteral(text)}::pg_catalog.${type}`;
