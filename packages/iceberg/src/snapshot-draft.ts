import { randomUUID } from 'node:crypto';
import type { Table } from './catalog.ts';
import { type DataFile, isDataFile } from './data-file.ts';
import { IcebergError } from './errors.ts';
import { metadataFolder } from './location.ts';
import { mapAhead } from './map-ahead.ts';
import { planManifestMerge } from './manifest-merge.ts';
import { decodeManifest, type ManifestEntry, NO_METRICS, readManifest, writeManifest } from './manifest.ts';
import { type ManifestFile, readManifestList, writeManifestList } from './manifest-list.ts';
import { withFirstRowIds } from './row-lineage.ts';
import { fieldsById } from './schema.ts';
import { type Snapshot, type Summary, newSnapshotId } from './snapshot.ts';
import { NOTHING, type Tally, plus, tallyFiles } from './summary.ts';
import { currentSchema, specById } from './table-metadata.ts';

/**
 * Which live files a snapshot removes; the predicate is asked for data and delete files alike, which come to it without metrics. `deletes` names
 * delete files by path: data manifests stay unread.
 */
export type Removal = 'all' | ((file: DataFile) => boolean) | { readonly deletes: ReadonlySet<string> };

/** Metrics in one manifest, so that a wide table's manifest stays at a few megabytes and readers can skip among several. */
const MAX_METRICS_PER_MANIFEST = 400_000;

/** Manifests read at once. */
const MANIFESTS_AHEAD = 8;

/** A snapshot that is being written: its identity, and the files written for it so far. */
export class SnapshotDraft {
  readonly id: bigint;
  readonly sequenceNumber: bigint;
  /** Locations of all files written, for removal if the commit definitely failed. */
  readonly written: string[] = [];
  readonly #table: Table;
  readonly #uuid = randomUUID();

  constructor(table: Table) {
    const version = table.metadata['format-version'];
    if (version < 2) {
      throw new IcebergError(
        'unsupported',
        `The table at ${table.location} has format version ${version}; upgrade it to 2 before writing (upgrade-format-version).`,
      );
    }
    this.#table = table;
    this.id = newSnapshotId();
    this.sequenceNumber = table.metadata['last-sequence-number'] + 1n;
  }

  /** Writes the manifests of new files: data files and delete files apart. Rows of earlier snapshots keep a sequence number of theirs. */
  async add(files: readonly DataFile[], sequenceNumber?: bigint): Promise<ManifestFile[]> {
    const entries = files.map((file): ManifestEntry => {
      return { status: 'added', snapshotId: this.id, sequenceNumber, fileSequenceNumber: undefined, file };
    });
    const { metadata } = this.#table;
    const schema = currentSchema(metadata);
    const bySpec = Map.groupBy(entries, ({ file }) => file.specId ?? metadata['default-spec-id']);
    const manifests: ManifestFile[] = [];
    for (const [specId, same] of bySpec) {
      const spec = specById(metadata, specId);
      for (const group of groupEntries(same))
        manifests.push(await this.#writeManifest({ schema, spec, entries: group }));
    }
    return manifests;
  }

  /** The manifests of `parent` without the files to remove. Those that nothing is removed from are kept unread. */
  async carryOver(parent: Snapshot | undefined, removal: Removal | undefined): Promise<CarriedOver> {
    const kept: ManifestFile[] = [];
    const rewritten: ManifestFile[] = [];
    let removed = NOTHING;
    const lines = parent ? await readManifestList(this.#table.io, parent) : [];
    // A manifest of deletions by earlier snapshots tells nothing about this one.
    const live = lines.filter(({ addedFiles, existingFiles }) => addedFiles + existingFiles > 0);
    const remove = async (manifest: ManifestFile) => {
      const isAsked = removal && (typeof removal !== 'object' || isAbout(removal, manifest));
      return { manifest, without: isAsked && (await this.#removeFrom(manifest, removal)) };
    };
    for await (const { manifest, without } of mapAhead(live, MANIFESTS_AHEAD, remove)) {
      if (without) {
        rewritten.push(without.manifest);
        removed = plus(removed, without.removed);
      } else {
        kept.push(manifest);
      }
    }
    return { manifests: [...rewritten, ...kept], removed };
  }

  /** Merges small manifests of earlier snapshots, as the table's properties say (see `planManifestMerge`). */
  async merge(manifests: readonly ManifestFile[]): Promise<ManifestFile[]> {
    // Manifests of this snapshot tell what it added and removed: they are merged by a later one.
    const earlier = manifests.filter(({ addedSnapshotId }) => addedSnapshotId !== this.id);
    const { metadata } = this.#table;
    // Every column may have six metrics: the same bound as for manifests of new files.
    const maxFiles = Math.ceil(MAX_METRICS_PER_MANIFEST / (6 * fieldsById(currentSchema(metadata)).size));
    const group = planManifestMerge(earlier, { properties: metadata.properties, maxFiles });
    if (group.length === 0) return [...manifests];
    const merged = await this.#mergeGroup(group);
    return [...manifests.filter((manifest) => !group.includes(manifest)), merged];
  }

  /** Merges small manifests group by group until there are no two left that fit together. */
  async mergeAll(manifests: readonly ManifestFile[]): Promise<ManifestFile[]> {
    const { metadata } = this.#table;
    const maxFiles = Math.ceil(MAX_METRICS_PER_MANIFEST / (6 * fieldsById(currentSchema(metadata)).size));
    const properties = {
      ...metadata.properties,
      'commit.manifest-merge.enabled': 'true',
      'commit.manifest.min-count-to-merge': '2',
    };
    let left = [...manifests];
    const merged: ManifestFile[] = [];
    for (;;) {
      const group = planManifestMerge(left, { properties, maxFiles });
      if (group.length === 0) return [...merged, ...left];
      left = left.filter((manifest) => !group.includes(manifest));
      merged.push(await this.#mergeGroup(group));
    }
  }

  /** Writes the manifest list and returns the finished snapshot. */
  async finish(manifests: readonly ManifestFile[], parent: Snapshot | undefined, summary: Summary): Promise<Snapshot> {
    const { metadata, io } = this.#table;
    const { lines, lineage } = withFirstRowIds(manifests, metadata);
    const snapshot: Snapshot = {
      'snapshot-id': this.id,
      ...(parent ? { 'parent-snapshot-id': parent['snapshot-id'] } : {}),
      'sequence-number': this.sequenceNumber,
      'timestamp-ms': Math.max(Date.now(), metadata['last-updated-ms']),
      'manifest-list': this.#newLocation(`snap-${this.id}-1-${this.#uuid}.avro`),
      summary,
      'schema-id': metadata['current-schema-id'],
      ...lineage,
    };
    await writeManifestList(io, snapshot, { manifests: lines, version: metadata['format-version'] });
    return snapshot;
  }

  async #mergeGroup(group: readonly ManifestFile[]): Promise<ManifestFile> {
    const { metadata, io } = this.#table;
    const entries: ManifestEntry[] = [];
    for await (const manifest of mapAhead(group, MANIFESTS_AHEAD, (line) => readManifest(io, line))) {
      for (const entry of manifest.entries)
        if (entry.status !== 'deleted') entries.push({ ...entry, status: 'existing' });
    }
    const spec = specById(metadata, group[0]?.specId ?? metadata['default-spec-id']);
    return this.#writeManifest({ schema: currentSchema(metadata), spec, entries });
  }

  async #removeFrom(
    manifest: ManifestFile,
    removal: Removal,
  ): Promise<{ manifest: ManifestFile; removed: Tally } | undefined> {
    const bytes = await this.#table.io.read(manifest.path);
    // Most manifests of a big table lose nothing: their metrics need not be decoded.
    const bare = decodeManifest(bytes, manifest, { metricsOf: NO_METRICS }).entries;
    const isGone = bare.map(({ status, file }) => status !== 'deleted' && isRemoved(file, removal));
    if (!isGone.includes(true)) return undefined;
    const { entries, schema, spec } = decodeManifest(bytes, manifest);
    const removedEntries = new Set(entries.filter((_, index) => isGone[index]));
    const live = entries.filter((entry) => entry.status !== 'deleted');
    const rewritten = live.map((entry): ManifestEntry => {
      return removedEntries.has(entry)
        ? { ...entry, status: 'deleted', snapshotId: this.id }
        : { ...entry, status: 'existing' };
    });
    const files = Array.from(removedEntries, (entry) => entry.file);
    return { manifest: await this.#writeManifest({ schema, spec, entries: rewritten }), removed: tallyFiles(files) };
  }

  #writeManifest(
    content: Pick<Parameters<typeof writeManifest>[1], 'schema' | 'spec' | 'entries'>,
  ): Promise<ManifestFile> {
    const location = this.#newLocation(`${this.#uuid}-m${this.written.length}.avro`);
    return writeManifest(this.#table.io, {
      ...content,
      location,
      snapshotId: this.id,
      sequenceNumber: this.sequenceNumber,
      version: this.#table.metadata['format-version'],
    });
  }

  /** Noted before it is written: a file whose writing failed half-way is to be removed too. */
  #newLocation(name: string): string {
    const location = `${metadataFolder(this.#table.metadata)}/${name}`;
    this.written.push(location);
    return location;
  }
}

/** The manifests that a snapshot takes from its parent. */
export interface CarriedOver {
  readonly manifests: readonly ManifestFile[];
  readonly removed: Tally;
}

function* groupEntries(entries: readonly ManifestEntry[]): Generator<ManifestEntry[]> {
  for (const same of [entries.filter(holdsRows), entries.filter((entry) => !holdsRows(entry))]) {
    let group: ManifestEntry[] = [];
    let metrics = 0;
    for (const entry of same) {
      group.push(entry);
      metrics += countMetrics(entry.file);
      if (metrics < MAX_METRICS_PER_MANIFEST) continue;
      yield group;
      group = [];
      metrics = 0;
    }
    if (group.length > 0) yield group;
  }
}

function isAbout({ deletes }: { deletes: ReadonlySet<string> }, manifest: ManifestFile): boolean {
  return deletes.size > 0 && manifest.content === 'deletes';
}

function isRemoved(file: DataFile, removal: Removal): boolean {
  if (removal === 'all') return true;
  return typeof removal === 'function' ? removal(file) : !isDataFile(file) && removal.deletes.has(file.filePath);
}

function countMetrics(file: DataFile): number {
  const maps = [
    file.columnSizes,
    file.valueCounts,
    file.nullValueCounts,
    file.nanValueCounts,
    file.lowerBounds,
    file.upperBounds,
  ];
  return maps.reduce((sum, map) => sum + (map?.size ?? 0), 1);
}

function holdsRows(entry: ManifestEntry): boolean {
  return isDataFile(entry.file);
}
