import type { Table } from './catalog.ts';
import type { DataFile } from './data-file.ts';
import { NO_METRICS } from './manifest.ts';
import { planFiles, type ScanFile } from './scan.ts';
import { SnapshotDraft } from './snapshot-draft.ts';
import { MAIN } from './snapshot.ts';
import type { StagedChanges } from './snapshot-producer.ts';
import { NOTHING, summarize, tallyFiles, totalsOf } from './summary.ts';
import { snapshotOfRef } from './table-metadata.ts';

/** Files that take the place of others with the same live rows. */
export interface Rewrite {
  /** The files that were read, as the scan of main gave them, deletes applied. */
  readonly sources: readonly ScanFile[];
  /** What was written from them; in the partition and spec of the sources. */
  readonly files: readonly DataFile[];
}

/** How rewrites are staged. */
export interface RewriteOptions {
  /** That of the snapshot which was read. */
  readonly sequenceNumber: bigint;
  readonly summary?: Readonly<Record<string, string>> | undefined;
  /**
   * Writes position deletes of a rewrite's new files for rows that were deleted from its sources since they were read; `now` are the sources as they
   * are. Without it, or where it gives undefined, such a rewrite is given up.
   */
  readonly carryDeletes?:
    | ((rewrite: Rewrite, now: readonly ScanFile[]) => Promise<readonly DataFile[] | undefined>)
    | undefined;
}

/** What `stageRewrites` made of rewrites. */
export interface StagedRewrites {
  readonly changes: StagedChanges;
  /** Those that were given up, since the table's rows have changed under them; their files are of no use. */
  readonly abandoned: readonly Rewrite[];
}

/**
 * Stages a `replace` snapshot on main: files out, their rewritten rows in, at the sequence number of the snapshot that was read, so that equality
 * deletes that came later still apply. Rewrites whose files were removed meanwhile are given up, and those whose rows were, unless such deletes are carried over.
 */
export async function stageRewrites(
  table: Table,
  rewrites: readonly Rewrite[],
  { sequenceNumber, summary, carryDeletes }: RewriteOptions,
): Promise<StagedRewrites> {
  const parent = snapshotOfRef(table.metadata, MAIN);
  const live = await liveSources(table, rewrites);
  const carried = await carryAll(rewrites, live.sources, carryDeletes);
  const fit = rewrites.filter((rewrite) => carried.has(rewrite));
  const abandoned = rewrites.filter((rewrite) => !fit.includes(rewrite));
  const draft = new SnapshotDraft(table);
  const requirements = [
    { type: 'assert-table-uuid', uuid: table.metadata['table-uuid'] } as const,
    { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': parent?.['snapshot-id'] ?? null } as const,
  ];
  const nothing = { updates: [], requirements, written: [], snapshotId: undefined };
  if (fit.length === 0 || !parent) return { changes: nothing, abandoned };
  const gone = new Set(fit.flatMap(({ sources }) => sources.map(({ file }) => file.filePath)));
  const applied = new Set(fit.flatMap(({ sources }) => sources.flatMap(({ deletes }) => deletes.map(pathOf))));
  for (const [path, { users, isByKey }] of live.deletes) {
    // Deletes by key that have come since hit the new files, too.
    if (users.every((user) => gone.has(user)) && (!isByKey || applied.has(path))) gone.add(path);
  }
  const { manifests, removed } = await draft.carryOver(parent, ({ filePath }) => gone.has(filePath));
  const deletes = [...carried.values()].flat();
  const rewritten = fit.flatMap(({ files }) => files);
  const append = [...rewritten, ...deletes];
  const added = [...(await draft.add(rewritten, sequenceNumber)), ...(await draft.add(deletes))];
  const counts = { before: totalsOf(parent), added: tallyFiles(append), removed };
  const snapshot = await draft.finish([...added, ...(await draft.merge(manifests))], parent, {
    ...summarize('replace', counts),
    ...summary,
  });
  const written = [...draft.written, ...deletes.map(({ filePath }) => filePath)];
  return { changes: { ...publish(snapshot), requirements, written, snapshotId: draft.id }, abandoned };
}

/** Stages a `replace` snapshot of the same files in fewer manifests; undefined while at most one of each kind is small. */
export async function stageManifestRewrite(table: Table): Promise<(StagedChanges & { replaced: number }) | undefined> {
  const parent = snapshotOfRef(table.metadata, MAIN);
  if (!parent) return undefined;
  const draft = new SnapshotDraft(table);
  const { manifests } = await draft.carryOver(parent, undefined);
  const merged = await draft.mergeAll(manifests);
  if (merged.length >= manifests.length) return undefined;
  const kept = merged.filter((manifest) => manifests.includes(manifest)).length;
  const snapshot = await draft.finish(merged, parent, {
    ...summarize('replace', { before: totalsOf(parent), added: NOTHING, removed: NOTHING }),
    'manifests-created': String(merged.length - kept),
    'manifests-replaced': String(manifests.length - kept),
    'manifests-kept': String(kept),
  });
  const requirements = [
    { type: 'assert-table-uuid', uuid: table.metadata['table-uuid'] } as const,
    { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': parent['snapshot-id'] } as const,
  ];
  const replaced = manifests.length - kept;
  return { ...publish(snapshot), requirements, written: draft.written, snapshotId: draft.id, replaced };
}

function publish(snapshot: Awaited<ReturnType<SnapshotDraft['finish']>>): Pick<StagedChanges, 'updates'> {
  const id = snapshot['snapshot-id'];
  return {
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': MAIN, type: 'branch', 'snapshot-id': id },
    ],
  };
}

type DeleteUse = { users: string[]; isByKey: boolean };
type LiveSources = { sources: Map<string, ScanFile>; deletes: Map<string, DeleteUse> };

/** The sources as they are now, and for each delete file the data files that it may be about. */
async function liveSources(table: Table, rewrites: readonly Rewrite[]): Promise<LiveSources> {
  const wanted = new Set(rewrites.flatMap(({ sources }) => sources.map(({ file }) => file.filePath)));
  const sources = new Map<string, ScanFile>();
  const deletes = new Map<string, DeleteUse>();
  for await (const scanned of planFiles(table, { metricsOf: NO_METRICS })) {
    const { filePath } = scanned.file;
    if (wanted.has(filePath)) sources.set(filePath, scanned);
    for (const file of scanned.deletes) {
      const known = deletes.get(file.filePath);
      if (known) known.users.push(filePath);
      else deletes.set(file.filePath, { users: [filePath], isByKey: file.content === 'equality-deletes' });
    }
  }
  return { sources, deletes };
}

/** The rewrites whose sources are all there, with the deletes that their new files need: none where the rows are the same. */
async function carryAll(
  rewrites: readonly Rewrite[],
  live: ReadonlyMap<string, ScanFile>,
  carry: RewriteOptions['carryDeletes'],
): Promise<Map<Rewrite, readonly DataFile[]>> {
  const carried = new Map<Rewrite, readonly DataFile[]>();
  for (const rewrite of rewrites) {
    const now = rewrite.sources.flatMap(({ file }) => live.get(file.filePath) ?? []);
    if (now.length < rewrite.sources.length) continue;
    const isSame = rewrite.sources.every((source) => isUnchanged(source, live));
    const deletes = isSame ? [] : await carry?.(rewrite, now);
    if (deletes) carried.set(rewrite, deletes);
  }
  return carried;
}

/** The same position deletes apply as when the file was read. Equality deletes that came later hit the rewritten rows, too. */
function isUnchanged(read: ScanFile, live: ReadonlyMap<string, ScanFile>): boolean {
  const now = live.get(read.file.filePath);
  const keysOf = ({ deletes }: ScanFile) =>
    deletes
      .filter(({ content }) => content !== 'equality-deletes')
      .map(({ filePath, contentOffset }) => `${filePath}@${contentOffset ?? 0n}`)
      .toSorted()
      .join('\n');
  return now !== undefined && keysOf(now) === keysOf(read);
}

function pathOf({ filePath }: DataFile): string {
  return filePath;
}
