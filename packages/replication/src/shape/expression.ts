import type { Column, Expression } from '@fjord/core';
import type { BatchColumns } from './condition.ts';
import { compileNumber } from './number-functions.ts';
import { bytesReaderOf, type Read, readerOf } from './read-column.ts';
import { compileText } from './text-functions.ts';
import { compileTime } from './time-functions.ts';
import { parseLiteral, type Value } from './value.ts';
import { castOf } from './cast.ts';
import { keyedHash } from './keyed-hash.ts';

/** A function call with its arguments ready to be read. `reject` counts a value that the result's type cannot hold; it gives null. */
export type Call = {
  name: string;
  /** The argument types, by position. */
  types: string[];
  type: string;
  /** The value of an argument that is a literal. */
  literal(position: number): Value;
  reject(): null;
};

/** Computes a result from the arguments' values, of which none is null. */
export type Compute = (values: Exclude<Value, null>[]) => Value;

export type ExpressionContext = { columns: readonly Column[]; reject(): void };

/** Makes a reader of an expression's value, to be bound to one batch at a time. A null argument makes a null, but for `concat` and `coalesce`. */
export function compileExpression(expression: Expression, context: ExpressionContext): (batch: BatchColumns) => Read {
  if ('column' in expression) {
    const type = typeOf(expression, context);
    return (batch) => readerOf(batch(expression.column), type);
  }
  if ('literal' in expression) {
    const value = expression.literal === null ? null : parseLiteral(expression.literal, expression.type);
    return () => () => value;
  }
  if (expression.call === 'hash') return compileHash(expression, context);
  const inner = expression.arguments.map((argument) => compileExpression(argument, context));
  const combine = compileCall(expression, context);
  return (batch) => combine(inner.map((bind) => bind(batch)));
}

/** A column of text is hashed as the bytes that it lies there in: they are its UTF-8. */
function compileHash(expression: CallExpression, context: ExpressionContext): (batch: BatchColumns) => Read {
  const [hashed] = expression.arguments;
  if (!hashed) throw new Error('a hash has nothing to hash');
  const call = describe(expression, context);
  if (!('column' in hashed) || call.types[0] !== 'string') {
    const bind = compileExpression(hashed, context);
    const compute = keyedHash(call);
    return (batch) => strictly([bind(batch)], compute);
  }
  const compute = keyedHash({ ...call, types: ['binary'] });
  return (batch) => strictly([bytesReaderOf(batch(hashed.column))], compute);
}

type CallExpression = Extract<Expression, { call: string }>;

function compileCall(expression: CallExpression, context: ExpressionContext): (reads: Read[]) => Read {
  const call = describe(expression, context);
  if (call.name === 'coalesce') return coalesce;
  if (call.name === 'concat') return concat;
  const compute = computeOf(call);
  return (reads) => strictly(reads, compute);
}

function describe(expression: CallExpression, context: ExpressionContext): Call {
  return {
    name: expression.call,
    types: expression.arguments.map((argument) => typeOf(argument, context)),
    type: expression.type,
    literal: (position) => {
      const argument = expression.arguments[position];
      if (!argument || !('literal' in argument) || argument.literal === null) return null;
      return parseLiteral(argument.literal, argument.type);
    },
    reject: () => {
      context.reject();
      return null;
    },
  };
}

function computeOf(call: Call): Compute {
  if (call.name === 'cast') return castOf(call);
  const compute = compileNumber(call) ?? compileText(call) ?? compileTime(call);
  if (!compute) throw new Error(`there is no function ${call.name}`);
  return compute;
}

/** Any null among the arguments makes a null. The list of values is made once, not for each row. */
function strictly(reads: Read[], compute: Compute): Read {
  const values: Exclude<Value, null>[] = [];
  return (row) => {
    for (let index = 0; index < reads.length; index++) {
      const value = reads[index]!(row);
      if (value === null) return null;
      values[index] = value;
    }
    return compute(values);
  };
}

function coalesce(reads: Read[]): Read {
  return (row) => {
    for (const read of reads) {
      const value = read(row);
      if (value !== null) return value;
    }
    return null;
  };
}

/** Nulls are left out, as in SQL's concat. */
function concat(reads: Read[]): Read {
  return (row) => {
    let text = '';
    for (const read of reads) text += (read(row) as string | null) ?? '';
    return text;
  };
}

function typeOf(expression: Expression, { columns }: ExpressionContext): string {
  if (!('column' in expression)) return expression.type;
  const type = columns.find(({ name }) => name === expression.column)?.type;
  if (typeof type !== 'string')
    throw new Error(`an expression names ${expression.column}, which has no primitive type`);
  return type;
}
