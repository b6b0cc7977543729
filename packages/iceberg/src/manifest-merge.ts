import type { ManifestFile } from './manifest-list.ts';

/** Iceberg's defaults of `commit.manifest.target-size-bytes` and `commit.manifest.min-count-to-merge`. */
const TARGET_BYTES = 8 * 1024 * 1024;
const MIN_COUNT = 100;

/**
 * The manifests to merge, each group into one: those of one spec and content that are smaller than half of
 * `commit.manifest.target-size-bytes` (8 MB), in groups up to that size, once there are `commit.manifest.min-count-to-merge` (100) of them.
 * None if `commit.manifest-merge.enabled` is false. So a commit reads little, and their number stays bounded.
 */
export function planManifestMerge(
  manifests: readonly ManifestFile[],
  properties: Readonly<Record<string, string>>,
): ManifestFile[][] {
  if (properties['commit.manifest-merge.enabled'] === 'false') return [];
  const target = positive(properties['commit.manifest.target-size-bytes'], TARGET_BYTES);
  const minCount = positive(properties['commit.manifest.min-count-to-merge'], MIN_COUNT);
  const small = manifests.filter(({ length }) => Number(length) < target / 2);
  const alike = Map.groupBy(small, ({ specId, content }) => `${specId} ${content}`);
  return [...alike.values()].filter((group) => group.length >= minCount).flatMap((group) => pack(group, target));
}

function pack(manifests: readonly ManifestFile[], target: number): ManifestFile[][] {
  const bins: ManifestFile[][] = [];
  let [bin, bytes]: [ManifestFile[], number] = [[], 0];
  for (const manifest of manifests) {
    if (bin.length > 0 && bytes + Number(manifest.length) > target) {
      bins.push(bin);
      [bin, bytes] = [[], 0];
    }
    bin.push(manifest);
    bytes += Number(manifest.length);
  }
  return [...bins, bin].filter((group) => group.length > 1);
}

function positive(text: string | undefined, otherwise: number): number {
  const value = Number.parseInt(text ?? '', 10);
  return value > 0 ? value : otherwise;
}
