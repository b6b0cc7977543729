import { createHash } from 'node:crypto';
import { ConnectorError } from '@fjord/core';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** A table's file, or a leaf partition's: its oid, its file's number (it changes when the table is rewritten), its pages, bytes per page with TOAST. */
const RelationLayoutSchema = Type.Object({
  oid: Type.Integer(),
  file: Type.Integer(),
  pages: Type.Integer({ minimum: 0 }),
  pageBytes: Type.Number({ exclusiveMinimum: 0 }),
});
export type RelationLayout = Static<typeof RelationLayoutSchema>;

/** What a plan keeps in the state: enough to cut the same chunks after a crash. */
const ChunkLayoutSchema = Type.Object({
  chunkBytes: Type.Number({ exclusiveMinimum: 0 }),
  relations: Type.Array(RelationLayoutSchema),
});
export type ChunkLayout = Static<typeof ChunkLayoutSchema>;

/** Pages of one relation, half open; without `toPage` to its end, wherever that is when the chunk is read. */
export type PageRange = { oid: number; file: number; fromPage: number; toPage: number | undefined };

// Each range costs some round trips, even an empty one: without a least weight one chunk could get all of 10,000 empty partitions.
const MIN_RANGE_BYTES = 128 * 1024;
const MAX_PLAIN_IDENTITY = 100;

/** Cuts relations into chunks of about `chunkBytes`: large ones are split evenly, small ones share a chunk. Never fewer than one chunk. */
export function cutChunks({ chunkBytes, relations }: ChunkLayout): PageRange[][] {
  const chunks: PageRange[][] = [[]];
  let filled = 0;
  for (const { bytes, ...range } of relations.flatMap((relation) => splitRelation(relation, chunkBytes))) {
    if (filled > 0 && filled + bytes > chunkBytes) {
      chunks.push([]);
      filled = 0;
    }
    chunks.at(-1)?.push(range);
    filled += bytes;
  }
  return chunks;
}

/** Reads the layout of a plan out of a state; `plan_outdated` if it is not one of ours. */
export function parseLayout(layout: unknown, stream: string): ChunkLayout {
  if (Value.Check(ChunkLayoutSchema, layout)) return layout;
  throw new ConnectorError('plan_outdated', `The chunk plan of ${stream} was made by another version.`, { stream });
}

/** Names the files that a plan is about, in one short text; a rewrite, or another set of partitions, changes it. */
export function layoutIdentity(server: string, relations: RelationLayout[]): string {
  const identity = [server, ...relations.map(({ oid, file }) => `${oid}:${file}`)].join(' ');
  if (identity.length <= MAX_PLAIN_IDENTITY) return identity;
  return `sha256:${createHash('sha256').update(identity).digest('hex')}`;
}

function splitRelation({ oid, file, pages, pageBytes }: RelationLayout, chunkBytes: number) {
  const pieces = Math.max(1, Math.ceil((pages * pageBytes) / chunkBytes));
  const count = Math.min(pieces, Math.max(pages, 1));
  const cutAt = (piece: number) => Math.floor((piece * pages) / count);
  return Array.from({ length: count }, (_, piece) => ({
    oid,
    file,
    fromPage: cutAt(piece),
    toPage: piece === count - 1 ? undefined : cutAt(piece + 1),
    bytes: Math.max((cutAt(piece + 1) - cutAt(piece)) * pageBytes, MIN_RANGE_BYTES),
  }));
}
