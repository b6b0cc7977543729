import { type NestedField, type PrimitiveType, isPrimitive, parsePrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';
import { type Schema, fieldByName } from './schema.ts';
import { type Value, encodeValue } from './single-value.ts';

/**
 * A condition on rows, by which files that hold no such row are left out of a scan. Values are single values of the column's type (see
 * `Value`); integers may be given as number or bigint. Null is neither equal nor unequal to anything. Columns within structs are named
 * by their path.
 */
export type Predicate =
  | { readonly op: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly op: 'not'; readonly of: Predicate }
  | { readonly op: Comparison; readonly column: string; readonly value: Value }
  | { readonly op: 'in' | 'not-in'; readonly column: string; readonly values: readonly Value[] }
  | { readonly op: 'is-null' | 'not-null'; readonly column: string };

/** How a column is compared with a value; `starts-with` is for strings and binary. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'starts-with';

/** A test of one column by its field id, with values of the column's type. */
export type Test =
  | { readonly op: Comparison; readonly id: number; readonly type: PrimitiveType; readonly value: Value }
  | { readonly op: 'in'; readonly id: number; readonly type: PrimitiveType; readonly values: readonly Value[] }
  | { readonly op: 'is-null'; readonly id: number; readonly type: PrimitiveType }
  | { readonly op: 'not-null'; readonly id: number; readonly type: PrimitiveType }
  /** Says nothing of any row: what cannot be tested by bounds. */
  | { readonly op: 'any' };

/** A predicate without negations, its columns found in a schema. */
export type BoundPredicate =
  | { readonly op: 'and' | 'or'; readonly of: readonly BoundPredicate[] }
  | { readonly op: 'test'; readonly test: Test };

/** Finds a predicate's columns and checks its values. Throws `invalid_argument` for an unknown column or a value of another type. */
export function bindPredicate(predicate: Predicate, schema: Schema): BoundPredicate {
  return bind(predicate, schema, false);
}

/** Whether a predicate may hold, given whether each of its tests may. */
export function mayHold(predicate: BoundPredicate, test: (test: Test) => boolean): boolean {
  switch (predicate.op) {
    case 'and':
      return predicate.of.every((part) => mayHold(part, test));
    case 'or':
      return predicate.of.some((part) => mayHold(part, test));
    case 'test':
      return test(predicate.test);
    default:
      return predicate satisfies never;
  }
}

/** The columns, by field id, that a predicate tests. */
export function testedColumns(predicate: BoundPredicate): Set<number> {
  if (predicate.op !== 'test') return new Set(predicate.of.flatMap((part) => [...testedColumns(part)]));
  return new Set(predicate.test.op === 'any' ? [] : [predicate.test.id]);
}

/** What each comparison becomes under `not`: rows with null satisfy neither. */
const NEGATIONS: Readonly<Record<Exclude<Comparison, 'starts-with'>, Comparison>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '>=': '<',
  '<=': '>',
  '>': '<=',
};

function bind(predicate: Predicate, schema: Schema, isNegated: boolean): BoundPredicate {
  if (predicate.op === 'not') return bind(predicate.of, schema, !isNegated);
  if ('of' in predicate) {
    const opposite = predicate.op === 'and' ? 'or' : 'and';
    return { op: isNegated ? opposite : predicate.op, of: predicate.of.map((part) => bind(part, schema, isNegated)) };
  }
  return { op: 'test', test: bindTest(predicate, columnOf(schema, predicate.column), isNegated) };
}

type Leaf = Extract<Predicate, { column: string }>;

function bindTest(leaf: Leaf, { id, type }: TestedColumn, isNegated: boolean): Test {
  switch (leaf.op) {
    case 'is-null':
    case 'not-null':
      return { op: (leaf.op === 'is-null') === isNegated ? 'not-null' : 'is-null', id, type };
    case 'in':
    case 'not-in': {
      const values = leaf.values.map((value) => toColumnValue(leaf.column, type, value));
      return (leaf.op === 'in') === isNegated ? { op: 'any' } : { op: 'in', id, type, values };
    }
    case 'starts-with': {
      const { kind } = parsePrimitive(type);
      if (kind !== 'string' && kind !== 'binary')
        throw new IcebergError('invalid_argument', `Column "${leaf.column}" of type ${type} has no beginning to test.`);
      const value = toColumnValue(leaf.column, type, leaf.value);
      return isNegated ? { op: 'any' } : { op: 'starts-with', id, type, value };
    }
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const value = toColumnValue(leaf.column, type, leaf.value);
      return { op: isNegated ? NEGATIONS[leaf.op] : leaf.op, id, type, value };
    }
    default:
      return leaf satisfies never;
  }
}

interface TestedColumn {
  readonly id: number;
  readonly type: PrimitiveType;
}

function columnOf(schema: Schema, name: string): TestedColumn {
  const field: NestedField | undefined = fieldByName(schema, name);
  if (field && isPrimitive(field.type)) return { id: field.id, type: field.type };
  throw new IcebergError('invalid_argument', `There is no column "${name}" that a filter can test.`);
}

const INTEGERS: ReadonlySet<string> = new Set(['int', 'date']);
const LONGS: ReadonlySet<string> = new Set([
  'long',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
]);

function toColumnValue(column: string, type: PrimitiveType, value: Value): Value {
  const { kind } = parsePrimitive(type);
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  try {
    if (LONGS.has(kind) && isWhole) return BigInt(value);
    if (INTEGERS.has(kind) && isWhole) return Number(value);
    encodeValue(type, value);
    if (!LONGS.has(kind) && !(INTEGERS.has(kind) && !isWhole)) return value;
  } catch (cause) {
    throw new IcebergError('invalid_argument', `Column "${column}" of type ${type} is compared with another type.`, {
      cause,
    });
  }
  throw new IcebergError('invalid_argument', `Column "${column}" of type ${type} is compared with a fraction.`);
}
