import {
  type Comparison,
  COMPARISONS,
  type Condition,
  ConnectorError,
  formatColumnType,
  type Literal,
  type Stream,
  toLiteral,
} from '@fjord/core';
import { type Static, type TSchema, Type } from '@fjord/core/schema';

const closed = { additionalProperties: false };
const Scalar = Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] });
// By reference into the definitions of the whole schema, which validators and editors alike resolve.
const Inner = Type.Unsafe<Filter>({ $ref: '#/definitions/Filter' });
const Parts = Type.Optional(Type.Array(Inner, { minItems: 1 }));

const comparisons = {
  '=': Type.Optional(Scalar),
  '!=': Type.Optional(Scalar),
  '<': Type.Optional(Scalar),
  '<=': Type.Optional(Scalar),
  '>': Type.Optional(Scalar),
  '>=': Type.Optional(Scalar),
} satisfies Record<Comparison, TSchema>;

/** A node of a filter's tree in pipeline.yaml: one of and, or, not, or a column with what must be true of it. */
export const FilterSchema = Type.Object(
  {
    and: Parts,
    or: Parts,
    not: Type.Optional(Inner),
    column: Type.Optional(Type.String({ minLength: 1 })),
    ...comparisons,
    in: Type.Optional(Type.Array(Scalar, { minItems: 1 })),
    between: Type.Optional(Type.Array(Scalar, { minItems: 2, maxItems: 2 })),
    like: Type.Optional(Type.String()),
    isNull: Type.Optional(Type.Boolean()),
  },
  {
    ...closed,
    title: 'Filter',
    description:
      'Which rows are copied: and, or, not around { column, and = != < <= > >= in between like isNull with values of its type }.',
    minProperties: 1,
  },
);

/** The option as it is used: a reference, so that the tree may have any depth. */
export const FilterOption = Inner;

export type Filter = {
  and?: Filter[];
  or?: Filter[];
  not?: Filter;
  column?: string;
} & Partial<Record<Comparison, Scalar>> & { in?: Scalar[]; between?: Scalar[]; like?: string; isNull?: boolean };
type Scalar = Static<typeof Scalar>;

/** Whose filter it is, and `file:line` of a part of it. */
export type FilterPlace = { stream: Stream; placeOf(path: readonly (string | number)[]): string };

/** Checks a filter against a stream's columns and gives it as the source takes it. `config_invalid` names the line of what cannot be meant. */
export function compileFilter(filter: Filter, place: FilterPlace, path: (string | number)[] = []): Condition {
  const forms = ['and', 'or', 'not', 'column'].filter((name) => name in filter);
  const at = place.placeOf(path);
  if (forms.length !== 1) throw refuse(at, 'a filter is one of `and`, `or`, `not`, or a test of a `column`');
  const others = Object.keys(filter).length - 1;
  if (filter.column !== undefined) return compileTests({ ...filter, column: filter.column }, { place, path });
  if (others > 0) throw refuse(at, `nothing may stand beside \`${forms[0]}\` in a filter`);
  if (filter.not) return { not: compileFilter(filter.not, place, [...path, 'not']) };
  const word = filter.and ? 'and' : 'or';
  const parts = (filter[word] ?? []).map((part, index) => compileFilter(part, place, [...path, word, index]));
  return word === 'and' ? { and: parts } : { or: parts };
}

type Context = { place: FilterPlace; path: (string | number)[] };

/** All that is said of a column must be true. */
function compileTests(filter: Filter & { column: string }, { place, path }: Context): Condition {
  const { column } = filter;
  const at = place.placeOf(path);
  const found = place.stream.columns.find(({ name }) => name === column);
  if (!found) throw refuse(at, `${place.stream.stream} has no column "${column}"`, LIST_COLUMNS);
  const { type } = found;
  if (typeof type !== 'string') {
    throw refuse(at, `column "${column}" is a ${formatColumnType(type)}, which no filter can compare`);
  }
  const tests = Object.keys(filter).flatMap((name) => {
    if (name === 'column') return [];
    return compileTest(filter, { name, type, column, at: place.placeOf([...path, name]) });
  });
  if (tests.length === 0) throw refuse(at, `nothing is said of column "${column}"`, 'Add what must be true of it.');
  return tests.length === 1 && tests[0] ? tests[0] : { and: tests };
}

type Test = { name: string; type: string; column: string; at: string };

function compileTest(filter: Filter, test: Test): Condition[] {
  const { name, type, column, at } = test;
  if (name === 'isNull') return [{ column, isNull: filter.isNull ?? true }];
  if (name === 'like') {
    if (type !== 'string') throw refuse(at, `like needs a text, and column "${column}" is a ${type}`);
    return [{ column, like: checkPattern(filter.like, at) }];
  }
  if (name === 'in') return [{ column, in: (filter.in ?? []).map((value) => literalOf(value, test)) }];
  const isOrdering = name !== '=' && name !== '!=';
  if (isOrdering && type === 'boolean') throw refuse(at, `column "${column}" is a boolean, which has no order`);
  if (name === 'between') {
    const [low, high] = (filter.between ?? []).map((value) => literalOf(value, test));
    if (low === undefined || high === undefined) throw new Error('between was checked to have two values');
    return [
      { column, compare: '>=', value: low },
      { column, compare: '<=', value: high },
    ];
  }
  const compare = COMPARISONS.find((known) => known === name);
  const value = compare && filter[compare];
  if (compare === undefined || value === undefined) throw new Error(`the schema let ${name} pass`);
  return [{ column, compare, value: literalOf(value, test) }];
}

function literalOf(value: Scalar, { type, column, at }: Test): Literal {
  const literal = toLiteral(type, value);
  if (literal !== undefined) return literal;
  throw refuse(at, `the value is no ${type}, which column "${column}" is`, literalHelp(type));
}

/** A backslash at the end would take nothing literally; databases refuse it. */
function checkPattern(pattern: string | undefined, at: string): string {
  const literal = toLiteral('string', pattern);
  if (typeof literal !== 'string' || /^(?:[^\\]|\\[^])*\\$/u.test(literal)) {
    throw refuse(at, 'the pattern ends in a lone backslash, or holds what no text can', 'Write \\\\ for a backslash.');
  }
  return literal;
}

const LIST_COLUMNS = 'Run `fjord discover --json` to see the columns there are.';

/** How a value of a type is written in a filter or as a constant. */
export function literalHelp(type: string): string {
  const forms: Record<string, string> = {
    boolean: 'Write true or false.',
    int: 'Write a whole number of 32 bits.',
    long: 'Write a whole number; above 9007199254740991 in quotes.',
    date: "Write '2024-02-29'.",
    time: "Write '12:34:56.123456'.",
    timestamp: "Write '2024-02-29' or '2024-02-29T12:34:56.123456', without a time zone.",
    timestamptz: "Write '2024-02-29T12:34:56Z' or with an offset as +01:00.",
    uuid: "Write '123e4567-e89b-12d3-a456-426614174000'.",
    binary: 'Write the bytes in base64.',
    string: 'Write a text; a number or true in quotes.',
  };
  if (type.startsWith('decimal')) return 'Write a number; one of more than 15 digits in quotes.';
  return (
    forms[type] ?? (type.startsWith('fixed') ? 'Write the bytes in base64.' : "Write a number, 'NaN' or 'Infinity'.")
  );
}

function refuse(at: string, why: string, help = 'docs/streams.md has all forms of a filter.'): ConnectorError {
  return new ConnectorError('config_invalid', `${at}: ${why}.`, { help });
}
