import { type Comparison, type Condition, ConnectorError, type Literal, parsePrimitive } from '@fjord/core';
import type { UnrepresentablePolicy } from '@fjord/replication';
import { selectExpression } from './column-types.ts';
import { quoteBytes, quoteText } from './quoting.ts';
import type { StreamColumn } from './stream-columns.ts';

/** What rendering needs to know: the columns that the condition names, and what becomes of values that a column cannot hold. */
export type ConditionColumns = { columns: readonly StreamColumn[]; unrepresentable: UnrepresentablePolicy };

/**
 * A condition as an expression for WHERE, with the meaning of docs/streams.md whatever the collation and character set of a column. Names are
 * quoted, every literal is a constant of its column's kind.
 */
export function renderCondition(condition: Condition, context: ConditionColumns): string {
  if ('and' in condition) return join(condition.and, 'AND', context);
  if ('or' in condition) return join(condition.or, 'OR', context);
  if ('not' in condition) return `(NOT ${renderCondition(condition.not, context)})`;
  const column = context.columns.find(({ column: { name } }) => name === condition.column);
  if (!column) throw new Error(`the condition's column ${condition.column} was not loaded`);
  const value = valueOf(column, context.unrepresentable);
  if ('isNull' in condition) return `(${value} IS ${condition.isNull ? '' : 'NOT '}NULL)`;
  if ('like' in condition) return renderLike(value, condition.like);
  if ('in' in condition) return renderMembership(value, condition.in, column);
  return renderComparison(value, condition, column);
}

/** Without parts `and` is true and `or` is false. */
function join(conditions: Condition[], word: 'AND' | 'OR', context: ConditionColumns): string {
  if (conditions.length === 0) return word === 'AND' ? 'TRUE' : 'FALSE';
  return `(${conditions.map((condition) => renderCondition(condition, context)).join(` ${word} `)})`;
}

/** The column as the destination gets it: a value that its type cannot hold is compared as what takes its place. */
function valueOf({ column, mapping }: StreamColumn, policy: UnrepresentablePolicy): string {
  const value = selectExpression(column, mapping);
  const { wire } = mapping;
  if (wire === 'geometry' || wire === 'vector') {
    throw new ConnectorError(
      'unsupported',
      `A filter cannot compare column "${column.name}", whose type has no order.`,
    );
  }
  if (wire === 'boolean') return `(${value} <> 0)`;
  if (wire === 'bit') return `((${value} + 0) <> 0)`;
  if (wire === 'bits' || wire === 'wide bits') return `(${value} + 0)`;
  if (wire === 'text' || wire === 'uuid') return `CONVERT(${value} USING utf8mb4)`;
  if (mapping.misfit === 'none' || policy === 'fail' || !column.nullable) return value;
  if (wire === 'time') return withinDay(value, policy);
  return wire === 'wide decimal' ? withinDigits(value, column.type, policy) : validDate(value);
}

/** LAST_DAY is null for a month that is none, and the day must be one of its days. */
const validDate = (value: string) =>
  `(CASE WHEN ${value} >= '0001-01-01' AND DAYOFMONTH(${value}) BETWEEN 1 AND DAYOFMONTH(LAST_DAY(${value})) THEN ${value} END)`;

function withinDay(value: string, policy: UnrepresentablePolicy): string {
  const [low, high] = ["TIME'00:00:00'", "TIME'23:59:59.999999'"];
  if (policy === 'null') return `(CASE WHEN ${value} BETWEEN ${low} AND ${high} THEN ${value} END)`;
  return `(CASE WHEN ${value} < ${low} THEN ${low} WHEN ${value} > ${high} THEN ${high} ELSE ${value} END)`;
}

function withinDigits(value: string, type: StreamColumn['column']['type'], policy: UnrepresentablePolicy): string {
  const decimal = typeof type === 'string' ? parsePrimitive(type) : undefined;
  if (decimal?.kind !== 'decimal') throw new Error('a decimal was mapped to no decimal');
  const { precision, scale } = decimal;
  const greatest = `${'9'.repeat(precision - scale) || '0'}.${'9'.repeat(scale)}`.replace(/\.$/, '');
  const rounded = `ROUND(${value}, ${scale})`;
  if (policy === 'null') {
    return `(CASE WHEN ${value} = ${rounded} AND ${value} BETWEEN -${greatest} AND ${greatest} THEN ${value} END)`;
  }
  return `(CASE WHEN ${rounded} < -${greatest} THEN -${greatest} WHEN ${rounded} > ${greatest} THEN ${greatest} ELSE ${rounded} END)`;
}

/** Each character is compared as it is. */
function renderLike(value: string, pattern: string): string {
  return `(${value} COLLATE utf8mb4_bin LIKE ${quoteText(pattern)} COLLATE utf8mb4_bin ESCAPE ${quoteText('\\')})`;
}

function renderMembership(value: string, literals: Literal[], column: StreamColumn): string {
  if (literals.length === 0) return `(${value} IS NULL AND NULL)`;
  return `(${literals.map((literal) => renderComparison(value, { compare: '=', value: literal }, column)).join(' OR ')})`;
}

type Compared = { compare: Comparison; value: Literal };

function renderComparison(value: string, { compare, value: literal }: Compared, column: StreamColumn): string {
  const operator = compare === '!=' ? '<>' : compare;
  const beyond = beyondAll(literal, column);
  if (beyond !== undefined) return whereThereIsAValue(value, isTrueBelow(compare, beyond));
  // Text is compared by its bytes in UTF-8: no collation has a say.
  const compared = isText(column) ? `CAST(${value} AS BINARY)` : value;
  return `(${compared} ${operator} ${constant(literal, column)})`;
}

const isText = ({ column: { type } }: StreamColumn) => type === 'string' || type === 'uuid';

/** MySQL's floats are all finite: NaN and infinity lie above or below each of them. */
function beyondAll(literal: Literal, { column: { type } }: StreamColumn): 'above' | 'below' | undefined {
  if (type !== 'float' && type !== 'double') return undefined;
  if (literal === 'NaN' || literal === 'Infinity') return 'above';
  return literal === '-Infinity' ? 'below' : undefined;
}

function isTrueBelow(compare: Comparison, place: 'above' | 'below'): boolean {
  if (compare === '=') return false;
  if (compare === '!=') return true;
  return compare.startsWith('<') === (place === 'above');
}

/** Null where the value is null. */
const whereThereIsAValue = (value: string, isTrue: boolean) => `(${value} ${isTrue ? '=' : '<>'} ${value})`;

function constant(literal: Literal, { column: { type, name } }: StreamColumn): string {
  const text = String(literal);
  const { kind } = parsePrimitive(typeof type === 'string' ? type : 'string');
  switch (kind) {
    case 'boolean':
      return literal === true ? 'TRUE' : 'FALSE';
    case 'int':
    case 'long':
    case 'decimal':
      return digits(text);
    case 'float':
    case 'double':
      return /e/i.test(text) ? text : `${digits(text)}e0`;
    case 'date':
      return `DATE${clock(text)}`;
    case 'time':
      return `TIME${clock(text)}`;
    case 'timestamp':
    case 'timestamptz':
      return `TIMESTAMP${clock(text.replace('T', ' ').replace(/Z$/, ''))}`;
    case 'string':
    case 'uuid':
      return quoteBytes(Buffer.from(text));
    case 'binary':
      return quoteBytes(Buffer.from(text, 'base64'));
    case 'fixed':
      throw new Error(`column ${name} has no type that can be compared`);
    default:
      return kind satisfies never;
  }
}

function digits(text: string): string {
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  throw new Error('a number of a condition is none');
}

function clock(text: string): string {
  if (/^[-\d :.]+$/.test(text)) return `'${text}'`;
  throw new Error('a date or time of a condition is none');
}
