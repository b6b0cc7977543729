import { randomBytes } from 'node:crypto';

/** What a snapshot did to the table. */
export type Operation = 'append' | 'replace' | 'overwrite' | 'delete';

/** A snapshot's summary: the operation and counts, all as strings (spec: Optional Snapshot Summary Fields). */
export interface Summary {
  readonly operation: Operation;
  readonly [key: string]: string;
}

/** The state of a table at one time, in the JSON shape of the spec (spec: Snapshots). */
export interface Snapshot {
  readonly 'snapshot-id': bigint;
  readonly 'parent-snapshot-id'?: bigint;
  readonly 'sequence-number': bigint;
  readonly 'timestamp-ms': number;
  readonly 'manifest-list': string;
  readonly summary?: Summary;
  readonly 'schema-id'?: number;
  /** Format version 3: the row id of the first row that the snapshot gives ids to, and how many it gives (spec: Row Lineage). */
  readonly 'first-row-id'?: bigint;
  readonly 'added-rows'?: bigint;
}

/** A named branch or tag (spec: Snapshot References). */
export interface SnapshotRef {
  readonly 'snapshot-id': bigint;
  readonly type: 'branch' | 'tag';
  readonly 'min-snapshots-to-keep'?: number;
  readonly 'max-snapshot-age-ms'?: number;
  readonly 'max-ref-age-ms'?: number;
}

/** The branch that readers read unless told otherwise. */
export const MAIN = 'main';

/** A random positive 63-bit snapshot id. */
export function newSnapshotId(): bigint {
  const id = randomBytes(8).readBigInt64BE() & 0x7fff_ffff_ffff_ffffn;
  return id === 0n ? 1n : id;
}
