import { type Column, type Comparison, type Condition, type Literal, parsePrimitive } from '@fjord/core';
import type { Data } from 'apache-arrow';
import { bytesReaderOf, type Read, readerOf } from './read-column.ts';
import { parseLiteral, parseScaled, scaleOf, type Value } from './value.ts';

/** Tells of a row of one batch whether a condition is true of it; null is SQL's unknown. */
export type RowTest = (row: number) => boolean | null;

/** The Arrow data of a batch's column, by the column's name at the source. */
export type BatchColumns = (column: string) => Data;

export type ConditionContext = {
  columns: readonly Column[];
  /** Columns of text of a fixed length, in which blanks at the end mean nothing (SQL's CHAR). */
  blankPadded?: ReadonlySet<string>;
};

/**
 * Makes a test of a condition, the same that sources push into their queries: what the change log's rows are filtered by. The result
 * is bound to one batch at a time.
 */
export function compileCondition(condition: Condition, context: ConditionContext): (batch: BatchColumns) => RowTest {
  if ('and' in condition) return joinTests(condition.and, context, false);
  if ('or' in condition) return joinTests(condition.or, context, true);
  if ('not' in condition) {
    const inner = compileCondition(condition.not, context);
    return (batch) => negate(inner(batch));
  }
  const { column } = condition;
  if ('isNull' in condition) {
    return (batch) => {
      const data = batch(column);
      const isValid = (row: number) => data.nullCount === 0 || data.getValid(row);
      return (row) => isValid(row) !== condition.isNull;
    };
  }
  return compileComparison(condition, typeOf(column, context), context.blankPadded?.has(column) ?? false);
}

/** `and` ends at the first false, `or` at the first true; an unknown is the result if nothing ends it. */
function joinTests(conditions: Condition[], context: ConditionContext, ending: boolean) {
  const compiled = conditions.map((condition) => compileCondition(condition, context));
  return (batch: BatchColumns): RowTest => {
    const tests = compiled.map((bind) => bind(batch));
    return (row) => {
      let result: boolean | null = !ending;
      for (const test of tests) {
        const found = test(row);
        if (found === ending) return ending;
        result = found === null ? null : result;
      }
      return result;
    };
  };
}

const negate =
  (test: RowTest): RowTest =>
  (row) => {
    const found = test(row);
    return found === null ? null : !found;
  };

function typeOf(name: string, { columns }: ConditionContext): string {
  const type = columns.find((column) => column.name === name)?.type;
  if (typeof type !== 'string') throw new Error(`a condition names ${name}, which has no primitive type`);
  return type;
}

type Comparing = Extract<Condition, { compare: unknown } | { in: unknown } | { like: unknown }>;

function compileComparison(condition: Comparing, type: string, isPadded: boolean): (batch: BatchColumns) => RowTest {
  const test = valueTest(condition, type, isPadded);
  return (batch) => {
    const read = valueReader(batch(condition.column), type, { isPadded, asText: !isOrdering(condition) });
    return (row) => {
      const value = read(row);
      return value === null ? null : test(value);
    };
  };
}

type ValueTest = (value: Exclude<Value, null>) => boolean;

function valueTest(condition: Comparing, type: string, isPadded: boolean): ValueTest {
  if ('like' in condition) {
    const pattern = likePattern(condition.like);
    return (value) => pattern.test(value as string);
  }
  const prepare = (literal: Literal) => (isPadded ? String(literal).replace(/ +$/, '') : literal);
  if ('in' in condition) return membership(condition.in.map(prepare), type);
  const { compare, value } = condition;
  if (compare === '=') return membership([prepare(value)], type);
  if (compare === '!=') {
    const isEqual = membership([prepare(value)], type);
    return (found) => !isEqual(found);
  }
  return ordering(compare, prepare(value), type);
}

const isOrdering = (condition: Comparing) =>
  'compare' in condition && condition.compare !== '=' && condition.compare !== '!=';

/** Equality by a set of keys: NaN equals NaN there and -0 equals 0, as in PostgreSQL. */
function membership(literals: Literal[], type: string): ValueTest {
  const { kind, ...rest } = parsePrimitive(type);
  const scale = 'scale' in rest ? rest.scale : 0;
  const isBytes = kind === 'uuid' || kind === 'binary' || kind === 'fixed';
  const keyOf = (value: Exclude<Value, null>) => (isBytes ? hexOf(value as Uint8Array) : value);
  // A decimal with more digits than the column's type equals no value of it.
  const possible = kind === 'decimal' ? literals.filter((text) => scaleOf(String(text)) <= scale) : literals;
  const keys = new Set(possible.map((literal) => keyOf(parseLiteral(literal, type))));
  return (value) => keys.has(keyOf(value));
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

function ordering(compare: Exclude<Comparison, '=' | '!='>, literal: Literal, type: string): ValueTest {
  const order = orderAgainst(literal, type);
  switch (compare) {
    case '<':
      return (value) => order(value) < 0;
    case '<=':
      return (value) => order(value) <= 0;
    case '>':
      return (value) => order(value) > 0;
    case '>=':
      return (value) => order(value) >= 0;
    default:
      return compare satisfies never;
  }
}

/** How a value lies to the literal: negative before it, 0 at it, positive after it. Text by its UTF-8 bytes. */
function orderAgainst(literal: Literal, type: string): (value: Exclude<Value, null>) => number {
  const primitive = parsePrimitive(type);
  switch (primitive.kind) {
    case 'float':
    case 'double': {
      const limit = Number(literal);
      return (value) => compareFloats(value as number, limit);
    }
    case 'decimal': {
      const digits = Math.max(scaleOf(String(literal)), primitive.scale);
      const limit = parseScaled(String(literal), digits) ?? 0n;
      const factor = 10n ** BigInt(digits - primitive.scale);
      return (value) => comparePlain((value as bigint) * factor, limit);
    }
    case 'string':
    case 'uuid':
    case 'binary':
    case 'fixed': {
      const limit = primitive.kind === 'string' ? Buffer.from(String(literal)) : parseLiteral(literal, type);
      return (value) => Buffer.compare(value as Uint8Array, limit as Uint8Array);
    }
    case 'boolean':
    case 'int':
    case 'long':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz': {
      const limit = parseLiteral(literal, type);
      return (value) => comparePlain(value, limit);
    }
    default:
      return primitive satisfies never;
  }
}

type Ordered = Exclude<Value, null>;
const comparePlain = (value: Ordered, limit: Ordered) => (value < limit ? -1 : value > limit ? 1 : 0);

/** NaN is equal to itself and above everything else (PostgreSQL manual, 8.1.3 Floating-Point Types). */
function compareFloats(value: number, limit: number): number {
  if (Number.isNaN(value)) return Number.isNaN(limit) ? 0 : 1;
  return Number.isNaN(limit) ? -1 : comparePlain(value, limit);
}

/** LIKE's pattern as a regular expression: `%` any text, `_` one character, a backslash takes the next one literally. */
function likePattern(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\?[^]/gu, (token) => {
    if (token === '%') return '.*';
    if (token === '_') return '.';
    const literal = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
    return literal.replace(/[\\^$.*+?()[\]{}|/]/u, String.raw`\$&`);
  });
  return new RegExp(`^${source}$`, 'su');
}

function valueReader(data: Data, type: string, { isPadded, asText }: { isPadded: boolean; asText: boolean }): Read {
  if (type !== 'string') return readerOf(data, type);
  const read = asText ? readerOf(data, type) : bytesReaderOf(data);
  if (!isPadded) return read;
  return (row) => {
    const value = read(row);
    if (typeof value === 'string') return value.replace(/ +$/, '');
    return value === null ? null : withoutBlanks(value as Uint8Array);
  };
}

const BLANK = 0x20;

function withoutBlanks(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === BLANK) end--;
  return bytes.subarray(0, end);
}
