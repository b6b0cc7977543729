import { ConnectorError } from '@fjord/core';
import { fits, type Static, Type } from '@fjord/core/schema';

/** A key's value, each column as text: numbers as digits, text and bytes in hexadecimal digits. */
const KeyValueSchema = Type.Array(Type.String());
export type KeyValue = Static<typeof KeyValueSchema>;

/** How a column's values stand in statements. */
const KeyColumnSchema = Type.Object({
  name: Type.String(),
  form: Type.Union([
    Type.Literal('integer'),
    Type.Literal('decimal'),
    Type.Literal('plain'),
    Type.Literal('text'),
    Type.Literal('bytes'),
  ]),
});
export type KeyColumn = Static<typeof KeyColumnSchema>;

/** An index that tells all rows apart, as far as its leading columns can be compared. */
const KeySchema = Type.Object({ index: Type.String(), columns: Type.Array(KeyColumnSchema, { minItems: 1 }) });
export type Key = Static<typeof KeySchema>;

/** What a plan keeps in the state: enough to cut the same units after a crash. Without a key there is one unit. */
const ChunkLayoutSchema = Type.Object({
  key: Type.Optional(KeySchema),
  /** The values between the units, in the order of the key. */
  bounds: Type.Array(KeyValueSchema),
});
export type ChunkLayout = Static<typeof ChunkLayoutSchema>;

/** Keys above `after` up to and with `upTo`, as far as these are given. */
export type KeyRange = { after: KeyValue | undefined; upTo: KeyValue | undefined };

/** The units of a layout in their order. */
export function cutUnits({ bounds }: ChunkLayout): KeyRange[] {
  return [...bounds, undefined].map((upTo, index) => ({ after: bounds[index - 1], upTo }));
}

/** Reads the layout of a plan out of a state; `plan_outdated` if it is not one of ours. */
export function parseLayout(layout: unknown, stream: string): ChunkLayout {
  if (fits(ChunkLayoutSchema, layout)) return layout;
  throw new ConnectorError('plan_outdated', `The chunk plan of ${stream} was made by another version.`, { stream });
}
