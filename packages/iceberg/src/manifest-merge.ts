import type { ManifestFile } from './manifest-list.ts';

/** A quarter of what Iceberg's reference implementation takes: what a commit decodes and writes anew stays well below a second. */
const TARGET_BYTES = 2 * 1024 * 1024;
/** Iceberg's default of `commit.manifest.min-count-to-merge`. */
const MIN_COUNT = 100;

/**
 * The manifests that a commit merges into one: of those of one spec and content that are smaller than half of
 * `commit.manifest.target-size-bytes` (2 MB) and of `maxFiles`, the smallest up to both, once there are `commit.manifest.min-count-to-merge` (100) of
 * them. None if `commit.manifest-merge.enabled` is false. One group a commit is enough: each commit adds one or a few.
 */
export function planManifestMerge(
  manifests: readonly ManifestFile[],
  { properties, maxFiles }: { properties: Readonly<Record<string, string>>; maxFiles: number },
): ManifestFile[] {
  if (properties['commit.manifest-merge.enabled'] === 'false') return [];
  const target = positive(properties['commit.manifest.target-size-bytes'], TARGET_BYTES);
  const minCount = positive(properties['commit.manifest.min-count-to-merge'], MIN_COUNT);
  const small = manifests.filter((line) => Number(line.length) < target / 2 && countFiles(line) <= maxFiles / 2);
  const alike = Map.groupBy(small, ({ specId, content }) => `${specId} ${content}`);
  const group = [...alike.values()].find((candidate) => candidate.length >= minCount) ?? [];
  return smallest(group, { target, maxFiles });
}

function smallest(manifests: readonly ManifestFile[], bounds: { target: number; maxFiles: number }): ManifestFile[] {
  let [bytes, files] = [0, 0];
  const taken = manifests
    .toSorted((a, b) => Number(a.length - b.length))
    .filter((manifest) => {
      bytes += Number(manifest.length);
      files += countFiles(manifest);
      return bytes <= bounds.target && files <= bounds.maxFiles;
    });
  return taken.length > 1 ? taken : [];
}

function countFiles({ addedFiles, existingFiles }: ManifestFile): number {
  return addedFiles + existingFiles;
}

function positive(text: string | undefined, otherwise: number): number {
  const value = Number.parseInt(text ?? '', 10);
  return value > 0 ? value : otherwise;
}
