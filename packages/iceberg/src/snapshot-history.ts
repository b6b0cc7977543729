import { snapshotOfRef, type TableMetadata } from './table-metadata.ts';

/** The ids of a ref's snapshots from its head back to the first that the table still knows. */
export function* ancestorsOf(metadata: TableMetadata, ref: string): Generator<bigint> {
  const parents = new Map(
    metadata.snapshots.map((snapshot) => [snapshot['snapshot-id'], snapshot['parent-snapshot-id']]),
  );
  let id = snapshotOfRef(metadata, ref)?.['snapshot-id'];
  while (id !== undefined && parents.has(id)) {
    yield id;
    id = parents.get(id);
  }
}

/** The ids of the snapshots that no other ref leads to. */
export function snapshotsOnlyOn(metadata: TableMetadata, ref: string): bigint[] {
  const others = Object.keys(metadata.refs).filter((name) => name !== ref);
  const elsewhere = new Set(others.flatMap((name) => [...ancestorsOf(metadata, name)]));
  return [...ancestorsOf(metadata, ref)].filter((id) => !elsewhere.has(id));
}
