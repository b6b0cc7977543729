import { type Static, Type } from '../schema.ts';

const Count = Type.Integer({ minimum: 0 });

/** A version of a table: when it was committed, by what kind of commit, and what that commit says about itself. */
const SnapshotSchema = Type.Object({
  id: Type.String(),
  at: Type.String(),
  operation: Type.String(),
  summary: Type.Record(Type.String(), Type.String()),
});

/** Counts over the live files of a table's current snapshot. */
const FilesSchema = Type.Object({
  count: Count,
  bytes: Count,
  rows: Count,
  smallestBytes: Count,
  medianBytes: Count,
  largestBytes: Count,
  deleteFiles: Count,
  deleteBytes: Count,
  /** Rows that delete files name by position, and keys that they name. */
  deletedPositions: Count,
  deletedKeys: Count,
  manifests: Count,
});

/** What there is to know about a table at one time. */
export const TableContentsSchema = Type.Object({
  location: Type.String(),
  /** `Iceberg v2`. */
  format: Type.String(),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.String(),
      nullable: Type.Boolean(),
      doc: Type.Optional(Type.String()),
    }),
  ),
  key: Type.Array(Type.String()),
  partition: Type.Array(Type.String()),
  sort: Type.Array(Type.String()),
  properties: Type.Record(Type.String(), Type.String()),
  /** Newest first. */
  snapshots: Type.Array(SnapshotSchema),
  files: FilesSchema,
  /** What a reader would feel, each with what to do about it; empty for a healthy table. */
  health: Type.Array(Type.Object({ message: Type.String(), fix: Type.String() })),
});
export type TableContents = Static<typeof TableContentsSchema>;
