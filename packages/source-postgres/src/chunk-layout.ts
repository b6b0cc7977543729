import { createHash } from 'node:crypto';
import { ConnectorError } from '@fjord/core';
import { fits, type Static, Type } from '@fjord/core/schema';

/** What holds a stream's rows, by its oid and its file's number (it changes when the table is rewritten; 0 for what has no file). */
const PLACE = { oid: Type.Integer(), file: Type.Integer() };
/** A key's value, each column as text. */
const KeyValueSchema = Type.Array(Type.String());
export type KeyValue = Static<typeof KeyValueSchema>;

/** Cut by pages: how many, and bytes per page with TOAST. */
const PagesSchema = Type.Object({
  ...PLACE,
  pages: Type.Integer({ minimum: 0 }),
  pageBytes: Type.Number({ exclusiveMinimum: 0 }),
});
/** Cut by key: the values between the units, in the order of the key. */
const KeysSchema = Type.Object({ ...PLACE, bounds: Type.Array(KeyValueSchema) });
/** Read as a whole: a view, a foreign table, another storage than PostgreSQL's heap. */
const OpaqueSchema = Type.Object({ ...PLACE, isOpaque: Type.Literal(true) });
const RelationLayoutSchema = Type.Union([PagesSchema, KeysSchema, OpaqueSchema]);
export type RelationLayout = Static<typeof RelationLayoutSchema>;
export type RelationPlace = Pick<RelationLayout, 'oid' | 'file'>;

const KeyColumnSchema = Type.Object({ name: Type.String(), typeName: Type.String() });
export type KeyColumn = Static<typeof KeyColumnSchema>;

/** What a plan keeps in the state: enough to cut the same units after a crash. */
const ChunkLayoutSchema = Type.Object({
  unitBytes: Type.Number({ exclusiveMinimum: 0 }),
  /** The columns that `bounds` are values of. */
  key: Type.Array(KeyColumnSchema),
  relations: Type.Array(RelationLayoutSchema),
});
export type ChunkLayout = Static<typeof ChunkLayoutSchema>;

/** Pages of one relation, half open; without `toPage` to its end, wherever that is when the chunk is read. */
export type PageRange = RelationPlace & { fromPage: number; toPage: number | undefined };
/** Keys of one relation, above `after` up to and with `upTo`, as far as these are given. */
export type KeyRange = RelationPlace & { after: KeyValue | undefined; upTo: KeyValue | undefined };
/** What one statement reads of one relation. */
export type Range = PageRange | KeyRange | (RelationPlace & { isOpaque: true });

// Each range costs some round trips, even an empty one: without a least weight one unit could get all of 10,000 empty partitions.
const MIN_RANGE_BYTES = 128 * 1024;
const MAX_PLAIN_IDENTITY = 100;

/** Cuts relations into units of about `unitBytes`: large ones are split evenly, small ones share a unit. Never fewer than one unit. */
export function cutUnits({ unitBytes, relations }: ChunkLayout): Range[][] {
  const units: Range[][] = [[]];
  let filled = 0;
  for (const { range, bytes } of relations.flatMap((relation) => splitRelation(relation, unitBytes))) {
    if (filled > 0 && filled + bytes > unitBytes) {
      units.push([]);
      filled = 0;
    }
    units.at(-1)?.push(range);
    filled += bytes;
  }
  return units;
}

/** Cuts a range of pages into at most so many pieces of about the same size; a range without an end is taken to have `pages`. */
export function splitPages(range: PageRange, pieces: number, pages: number): PageRange[] {
  const end = range.toPage ?? Math.max(pages, range.fromPage + 1);
  const count = Math.max(1, Math.min(pieces, end - range.fromPage));
  const cutAt = (piece: number) => range.fromPage + Math.floor((piece * (end - range.fromPage)) / count);
  return Array.from({ length: count }, (_, piece) => ({
    ...range,
    fromPage: cutAt(piece),
    toPage: piece === count - 1 ? range.toPage : cutAt(piece + 1),
  }));
}

/** Reads the layout of a plan out of a state; `plan_outdated` if it is not one of ours. */
export function parseLayout(layout: unknown, stream: string): ChunkLayout {
  if (fits(ChunkLayoutSchema, layout)) return layout;
  throw new ConnectorError('plan_outdated', `The chunk plan of ${stream} was made by another version.`, { stream });
}

/** Names the files that a plan is about, in one short text; a rewrite, or another set of partitions, changes it. */
export function layoutIdentity(server: string, relations: RelationPlace[]): string {
  const identity = [server, ...relations.map(({ oid, file }) => `${oid}:${file}`)].join(' ');
  if (identity.length <= MAX_PLAIN_IDENTITY) return identity;
  return `sha256:${createHash('sha256').update(identity).digest('hex')}`;
}

function splitRelation(relation: RelationLayout, unitBytes: number): { range: Range; bytes: number }[] {
  const { oid, file } = relation;
  if ('isOpaque' in relation) return [{ range: { oid, file, isOpaque: true }, bytes: unitBytes }];
  if ('bounds' in relation) {
    const { bounds } = relation;
    const ends = [...bounds, undefined];
    return ends.map((upTo, index) => ({ range: { oid, file, after: bounds[index - 1], upTo }, bytes: unitBytes }));
  }
  const { pages, pageBytes } = relation;
  const whole: PageRange = { oid, file, fromPage: 0, toPage: undefined };
  return splitPages(whole, Math.ceil((pages * pageBytes) / unitBytes), pages).map((range) => ({
    range,
    bytes: Math.max(((range.toPage ?? pages) - range.fromPage) * pageBytes, MIN_RANGE_BYTES),
  }));
}
