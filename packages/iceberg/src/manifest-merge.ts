import type { ManifestFile } from './manifest-list.ts';

/** A quarter of what Iceberg's reference implementation takes: what a commit decodes and writes anew stays well below a second. */
const TARGET_BYTES = 2 * 1024 * 1024;
/** Iceberg's default of `commit.manifest.min-count-to-merge`. */
const MIN_COUNT = 100;

/**
 * The manifests that a commit merges into one: of those of one spec and content that are smaller than half of
 * `commit.manifest.target-size-bytes` (2 MB), the smallest up to that size, once there are `commit.manifest.min-count-to-merge` (100) of
 * them. None if `commit.manifest-merge.enabled` is false. One group a commit is enough: each commit adds one or a few.
 */
export function planManifestMerge(
  manifests: readonly ManifestFile[],
  properties: Readonly<Record<string, string>>,
): ManifestFile[] {
  if (properties['commit.manifest-merge.enabled'] === 'false') return [];
  const target = positive(properties['commit.manifest.target-size-bytes'], TARGET_BYTES);
  const minCount = positive(properties['commit.manifest.min-count-to-merge'], MIN_COUNT);
  const small = manifests.filter(({ length }) => Number(length) < target / 2);
  const alike = Map.groupBy(small, ({ specId, content }) => `${specId} ${content}`);
  const group = [...alike.values()].find((candidate) => candidate.length >= minCount) ?? [];
  return smallest(group, target);
}

function smallest(manifests: readonly ManifestFile[], target: number): ManifestFile[] {
  let bytes = 0;
  const taken = manifests
    .toSorted((a, b) => Number(a.length - b.length))
    .filter(({ length }) => (bytes += Number(length)) <= target);
  return taken.length > 1 ? taken : [];
}

function positive(text: string | undefined, otherwise: number): number {
  const value = Number.parseInt(text ?? '', 10);
  return value > 0 ? value : otherwise;
}
