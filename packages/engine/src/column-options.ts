import { type Column, type Expression, toLiteral } from '@fjord/core';
import { type Static, Type } from '@fjord/core/schema';
import { parseExpression, WrongSyntax } from './expression-syntax.ts';
import { fitsDecimal, type Typed, typeExpression } from './expression-types.ts';
import { literalHelp } from './filter-option.ts';

const closed = { additionalProperties: false };
const Text = Type.String({ minLength: 1 });
const Names = (description: string) => Type.Optional(Type.Array(Text, { minItems: 1, description }));

const HashSchema = Type.Object(
  {
    salt: Type.String({
      title: 'Salt',
      description: 'The key, as ${env:NAME} or ${file:path}: it never stands in the pipeline file.',
      pattern: '^\\$\\{(env|file):[^}]+\\}$',
    }),
  },
  { ...closed, description: 'HMAC-SHA256 of the value with a secret key, as 64 hexadecimal digits.' },
);

// No defaults here: they would be filled in, and stand beside `text`.
const MaskSchema = Type.Object(
  {
    keepFirst: Type.Optional(
      Type.Integer({ description: 'Characters kept at the start; none unless said.', minimum: 0 }),
    ),
    keepLast: Type.Optional(Type.Integer({ description: 'Characters kept at the end; none unless said.', minimum: 0 })),
    with: Type.Optional(Type.String({ description: 'What stands for each hidden character, * unless said.' })),
    text: Type.Optional(Type.String({ description: 'What stands for the whole value, instead of the others.' })),
  },
  { ...closed, description: 'Hides a text but for some characters at its ends, or all of it behind a fixed text.' },
);

/** What becomes of one column: exactly one of these. */
const TransformSchema = Type.Object(
  {
    hash: Type.Optional(HashSchema),
    mask: Type.Optional(MaskSchema),
    drop: Type.Optional(Type.Literal(true, { description: 'The column is not copied.' })),
    constant: Type.Optional(
      Type.Unsafe<string | number | boolean>({
        type: ['string', 'number', 'boolean'],
        description: 'The same value in every row.',
      }),
    ),
    type: Type.Optional(Type.String({ description: 'The type of `constant`, if its own is not meant.', minLength: 1 })),
    compute: Type.Optional(
      Type.String({
        description: "An expression over the source's columns: concat(first_name, ' ', last_name), net * 1.19.",
        minLength: 1,
      }),
    ),
  },
  { ...closed, minProperties: 1 },
);
export type Transform = Static<typeof TransformSchema>;

/** The option `columns` of an entry. */
export const ColumnOptions = Type.Object(
  {
    include: Names('Only these columns are read.'),
    exclude: Names('All columns but these are read.'),
    rename: Type.Optional(
      Type.Record(Type.String(), Text, { description: 'Names at the source, with those in the table.' }),
    ),
    transform: Type.Optional(
      Type.Record(Type.String(), TransformSchema, {
        description: "By the column's name at the source, or a new one: hash, mask, drop, constant or compute.",
      }),
    ),
  },
  {
    ...closed,
    title: 'Columns',
    description: 'Which columns are read, their names in the table, and what becomes of their values.',
    minProperties: 1,
  },
);
export type ColumnOptions = Static<typeof ColumnOptions>;

/** The names in the option that columns of the source must have. */
export function namedColumns({ include = [], exclude = [], rename = {}, transform = {} }: ColumnOptions): string[] {
  const changed = Object.entries(transform).filter(([, change]) => isChange(change));
  return [...include, ...exclude, ...Object.keys(rename), ...changed.map(([name]) => name)];
}

/** Whether a transform is made of a column that is there: constants and computed columns may be new ones. */
export const isChange = ({ hash, mask, drop }: Transform) => (hash ?? mask ?? drop) !== undefined;

/** A transform's value; WrongSyntax says what cannot be meant. `column` is the source's column of that name, if there is one. */
export function compileTransform(
  transform: Transform,
  column: Column | undefined,
  columns: readonly Column[],
): { expression: Expression; type: string; nullable: boolean } {
  const { hash, mask, constant, compute, type } = transform;
  const forms = Object.keys(transform).filter((name) => name !== 'type');
  if (forms.length !== 1) throw new WrongSyntax('a transform is one of hash, mask, drop, constant, compute');
  if (type !== undefined && constant === undefined) throw new WrongSyntax('`type` goes with `constant` only');
  if (constant !== undefined) return { ...compileConstant(constant, type), nullable: false };
  if (compute !== undefined) return { ...typeExpression(parseExpression(compute), columns), nullable: true };
  if (!column) throw new Error('a column to change was checked to be there');
  if (typeof column.type !== 'string') throw new WrongSyntax('a nested column can only be dropped');
  const value = hash ? hashOf(column.name, hash.salt) : maskOf(column.name, mask ?? {});
  return { expression: value, type: 'string', nullable: column.nullable };
}

const text = (value: string): Expression => ({ literal: value, type: 'string' });
const count = (value: number): Expression => ({ literal: value, type: 'int' });

function hashOf(column: string, salt: string): Expression {
  return { call: 'hash', arguments: [{ column }, text(salt)], type: 'string' };
}

function maskOf(column: string, mask: Static<typeof MaskSchema>): Expression {
  const { keepFirst = 0, keepLast = 0, with: filler = '*', text: instead } = mask;
  if (instead === undefined) {
    return { call: 'mask', arguments: [{ column }, count(keepFirst), count(keepLast), text(filler)], type: 'string' };
  }
  if (Object.keys(mask).length > 1)
    throw new WrongSyntax('`text` of a mask stands for the whole value: nothing goes beside it');
  return { call: 'replace', arguments: [{ column }, text(instead)], type: 'string' };
}

function compileConstant(value: string | number | boolean, given: string | undefined): Typed {
  const type = given ?? typeOf(value);
  if (!CONSTANT_TYPE.test(type)) throw new WrongSyntax(`"${type}" is no type of a constant`);
  const literal = toLiteral(type, value);
  if (literal === undefined || !fitsDecimal(literal, type)) {
    throw new WrongSyntax(`the constant is no ${type}: ${literalHelp(type)}`);
  }
  return { expression: { literal, type }, type };
}

const CONSTANT_TYPE =
  /^(boolean|int|long|float|double|decimal\(\d+,\d+\)|date|time|timestamp|timestamptz|string|uuid|binary)$/;

function typeOf(value: string | number | boolean): string {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  return Number.isInteger(value) ? 'long' : 'double';
}
