import type { ManifestFile } from './manifest-list.ts';
import type { Snapshot } from './snapshot.ts';
import type { TableMetadata } from './table-metadata.ts';

/** Format version 3: every manifest of data files has row ids once it is listed (spec: Row Lineage). */
export function withFirstRowIds(
  manifests: readonly ManifestFile[],
  metadata: TableMetadata,
): { lines: readonly ManifestFile[]; lineage: Pick<Snapshot, 'first-row-id' | 'added-rows'> } {
  if (metadata['format-version'] < 3) return { lines: manifests, lineage: {} };
  const first = metadata['next-row-id'] ?? 0n;
  let next = first;
  const lines = manifests.map((manifest) => {
    if (manifest.content === 'deletes' || manifest.firstRowId !== undefined) return manifest;
    const line = { ...manifest, firstRowId: next };
    next += manifest.addedRows + manifest.existingRows;
    return line;
  });
  return { lines, lineage: { 'first-row-id': first, 'added-rows': next - first } };
}
