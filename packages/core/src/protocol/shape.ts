import { type Static, type TSchema, Type } from '../schema.ts';
import type { Column } from '../column-type.ts';

/** A value in the JSON form of its column's type (docs/protocol.md, Types). */
const LiteralSchema = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
export type Literal = Static<typeof LiteralSchema>;

export const COMPARISONS = ['=', '!=', '<', '<=', '>', '>='] as const;
export type Comparison = (typeof COMPARISONS)[number];

/**
 * Which rows a stream has, as a tree. Three-valued, as in SQL: a comparison with null is neither true nor false, and only rows for which
 * the whole is true are kept. docs/streams.md says how each type is compared.
 */
export type Condition =
  | { and: Condition[] }
  | { or: Condition[] }
  | { not: Condition }
  | { column: string; compare: Comparison; value: Literal }
  | { column: string; in: Literal[] }
  | { column: string; like: string }
  | { column: string; isNull: boolean };

const ConditionSchema = Type.Recursive(
  (self: TSchema) =>
    Type.Unsafe<Condition>(
      Type.Union([
        Type.Object({ and: Type.Array(self) }),
        Type.Object({ or: Type.Array(self) }),
        Type.Object({ not: self }),
        Type.Object({
          column: Type.String(),
          compare: Type.Union(COMPARISONS.map((name) => Type.Literal(name))),
          value: LiteralSchema,
        }),
        Type.Object({ column: Type.String(), in: Type.Array(LiteralSchema) }),
        Type.Object({ column: Type.String(), like: Type.String() }),
        Type.Object({ column: Type.String(), isNull: Type.Boolean() }),
      ]),
    ),
  { $id: 'Condition' },
);

/** What a selected column's value is computed from: a column of the source, a literal, or a function of such (docs/streams.md lists them). */
export type Expression =
  | { column: string }
  | { literal: Literal | null; type: string }
  | { call: string; arguments: Expression[]; type: string };

const ExpressionSchema = Type.Recursive(
  (self: TSchema) =>
    Type.Unsafe<Expression>(
      Type.Union([
        Type.Object({ column: Type.String() }),
        Type.Object({ literal: Type.Union([LiteralSchema, Type.Null()]), type: Type.String() }),
        Type.Object({ call: Type.String(), arguments: Type.Array(self), type: Type.String() }),
      ]),
    ),
  { $id: 'Expression' },
);

// As in `columns` of the stream, whose schema has an id and so can stand only once in another.
const ShapeColumnSchema = Type.Unsafe<Column>(
  Type.Object({ name: Type.String(), type: Type.Unsafe<unknown>({}), nullable: Type.Boolean() }),
);

/**
 * How a selected stream comes from the source's: which columns are read, under the source's names and types; which rows; and, for each
 * selected column in its order, what it is computed from.
 */
export const ShapeSchema = Type.Object({
  columns: Type.Array(ShapeColumnSchema),
  primaryKey: Type.Array(Type.String()),
  filter: Type.Optional(Type.Object({ condition: ConditionSchema, columns: Type.Array(ShapeColumnSchema) })),
  outputs: Type.Array(Type.Object({ column: ShapeColumnSchema, expression: ExpressionSchema })),
});
export type Shape = Static<typeof ShapeSchema>;

/** What becomes of a complete, appended stream when its filter or outputs are other than when its rows were copied. */
export const WhenChangedSchema = Type.Union([
  Type.Literal('refuse'),
  Type.Literal('backfill'),
  Type.Literal('continue'),
]);
export type WhenChanged = Static<typeof WhenChangedSchema>;
