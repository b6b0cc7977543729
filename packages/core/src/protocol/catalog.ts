import { type Static, Type } from '../schema.ts';
import { ColumnSchema } from '../column-type.ts';
import { ShapeSchema, WhenChangedSchema } from './shape.ts';

/** What a stream is in its database. */
export const StreamKindSchema = Type.Union([
  Type.Literal('table'),
  Type.Literal('partitioned table'),
  Type.Literal('view'),
  Type.Literal('materialized view'),
  Type.Literal('foreign table'),
  Type.Literal('collection'),
  Type.Literal('file'),
]);

/** How the source itself divides a stream by columns: into how many parts, and for ranges how wide one usually is, in days or the column's own units. */
const PartitioningSchema = Type.Object({
  strategy: Type.Union([Type.Literal('range'), Type.Literal('list'), Type.Literal('hash')]),
  columns: Type.Array(Type.String(), { minItems: 1 }),
  parts: Type.Integer({ minimum: 0 }),
  width: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
});

/** A stream as `discover` finds it. `stream` is its id: unique within the source, stable between runs (see `streamId`). */
export const StreamSchema = Type.Object({
  stream: Type.String(),
  /** The database it is in, where the source has several. */
  database: Type.Optional(Type.String()),
  namespace: Type.Optional(Type.String()),
  name: Type.String(),
  kind: Type.Optional(StreamKindSchema),
  columns: Type.Array(ColumnSchema),
  primaryKey: Type.Array(Type.String()),
  cursorCandidates: Type.Array(Type.String()),
  syncModes: Type.Array(Type.Union([Type.Literal('full'), Type.Literal('incremental'), Type.Literal('changes')])),
  estimatedRows: Type.Optional(Type.Number()),
  estimatedBytes: Type.Optional(Type.Number()),
  partitioning: Type.Optional(PartitioningSchema),
  doc: Type.Optional(Type.String()),
  /** Present when the stream is there but its rows cannot be read: it is listed all the same, so that no pattern misses it silently. */
  unreadable: Type.Optional(Type.Object({ message: Type.String(), fix: Type.String() })),
});
export type Stream = Static<typeof StreamSchema>;

/** How rows reach the table: added to it, replacing all of it in one commit when the stream is complete, or row by row by primary key. */
export const WriteModeSchema = Type.Union([Type.Literal('append'), Type.Literal('overwrite'), Type.Literal('upsert')]);
export type WriteMode = Static<typeof WriteModeSchema>;

/** How a stream's table is laid out in the destination; what it means is the destination's to say. */
const TableLayoutSchema = {
  /** Partition fields: `day(created_at)`, `bucket(16, id)`, a column. */
  partition: Type.Optional(Type.Array(Type.String())),
  /** Sort fields: `created_at`, `bucket(16, id) desc nulls-last`. */
  sort: Type.Optional(Type.Array(Type.String())),
  tableProperties: Type.Optional(Type.Record(Type.String(), Type.String())),
  formatVersion: Type.Optional(Type.Union([Type.Literal(2), Type.Literal(3)])),
  /** What becomes of a column whose new type the table's cannot hold. */
  onIncompatible: Type.Optional(Type.Union([Type.Literal('fail-stream'), Type.Literal('new-column')])),
  /** What becomes of a column that was renamed at the source: the table's is renamed, or stays and gets no more values beside a new one. */
  onRename: Type.Optional(Type.Union([Type.Literal('rename'), Type.Literal('new-column')])),
};

/**
 * What removes a row from a data file: its position (a deletion vector on format version 3), its key, for huge cold tables, or the
 * file is written anew without it.
 */
const DeleteFilesSchema = Type.Union([
  Type.Literal('position'),
  Type.Literal('equality'),
  Type.Literal('copy-on-write'),
]);

/** How an incremental stream knows what is new: rows whose cursor columns, compared in order, are not below the last run's greatest. */
const IncrementalSchema = Type.Object({
  cursor: Type.Array(Type.String(), { minItems: 1 }),
  /** The column that counts where the cursor (one column then) is null. */
  fallback: Type.Optional(Type.String()),
  /** How far below the last run's greatest value late rows are looked for. */
  lookbackSeconds: Type.Optional(Type.Number({ minimum: 0 })),
  /** Of an increment that is upserted. */
  deleteFiles: Type.Optional(DeleteFilesSchema),
});
export type Incremental = Static<typeof IncrementalSchema>;

/** How the changes of a stream that follows the change log reach its table; what is absent is the destination's default. */
const ChangesSchema = Type.Object({
  /** What a deleted row becomes in `upsert`: gone, marked by `_fjord_deleted_at`, or left as it was. */
  deletes: Type.Optional(Type.Union([Type.Literal('hard'), Type.Literal('soft'), Type.Literal('ignore')])),
  deleteFiles: Type.Optional(DeleteFilesSchema),
  /** Whether the table has `_fjord_op`, `_fjord_position`, `_fjord_committed_at` and `_fjord_loaded_at`. */
  metadataColumns: Type.Optional(Type.Boolean()),
});
export type Changes = Static<typeof ChangesSchema>;

/** A stream chosen by the pipeline: its selected columns (all that `read` may send, as they are sent), and where it goes. */
export const SelectedStreamSchema = Type.Object({
  stream: Type.String(),
  namespace: Type.Optional(Type.String()),
  name: Type.String(),
  columns: Type.Array(ColumnSchema),
  primaryKey: Type.Array(Type.String()),
  estimatedRows: Type.Optional(Type.Number()),
  estimatedBytes: Type.Optional(Type.Number()),
  writeMode: WriteModeSchema,
  /** Present when each run reads only what is new. */
  incremental: Type.Optional(IncrementalSchema),
  /** Present when the stream follows the change log once it is copied. */
  changes: Type.Optional(ChangesSchema),
  target: Type.Object({
    namespace: Type.Array(Type.String()),
    name: Type.String(),
    location: Type.Optional(Type.String()),
  }),
  adopt: Type.Optional(Type.Boolean()),
  ...TableLayoutSchema,
  /** Absent: the rows and columns are the source's own. Only for sources whose SPEC lists the capability `shapes`. */
  shape: Type.Optional(ShapeSchema),
  whenChanged: Type.Optional(WhenChangedSchema),
});
export type SelectedStream = Static<typeof SelectedStreamSchema>;

/** The file given to `read` and `write` as `--streams`: the pipeline's id and its streams. */
export const SelectionSchema = Type.Object({
  pipeline: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
  streams: Type.Array(SelectedStreamSchema),
});
export type Selection = Static<typeof SelectionSchema>;

/** A stream's id from its namespace and name; parts that hold dots, quotes or spaces are quoted, so that ids never collide. */
export function streamId(namespace: string | undefined, name: string): string {
  return namespace === undefined ? quotePart(name) : `${quotePart(namespace)}.${quotePart(name)}`;
}

function quotePart(part: string): string {
  return /^[^\s."]+$/u.test(part) ? part : `"${part.replaceAll('"', '""')}"`;
}
