import type { Table } from './catalog.ts';
import type { DataFile } from './data-file.ts';
import { NO_METRICS } from './manifest.ts';
import { listDeleteFiles, planFiles, type ScanFile } from './scan.ts';
import { SnapshotDraft } from './snapshot-draft.ts';
import { MAIN } from './snapshot.ts';
import type { StagedChanges } from './snapshot-producer.ts';
import { summarize, tallyFiles, totalsOf } from './summary.ts';
import { snapshotOfRef } from './table-metadata.ts';

/** Deletes of a data file, put together: all that its delete files said when it was read is in one. */
export interface GatheredDeletes {
  /** The data file as the scan of main gave it. */
  readonly source: ScanFile;
  /** Its new position delete file or deletion vector; undefined if none of its rows is deleted. */
  readonly deletes: DataFile | undefined;
}

/** What `stageDeleteRewrite` makes of gathered deletes. */
export interface StagedDeleteRewrite {
  readonly changes: StagedChanges;
  /** New files that the snapshot does not take, since their data files are gone or got another deletion vector. */
  readonly unused: readonly DataFile[];
  /** Delete files that go. */
  readonly removed: number;
}

/**
 * Stages a `replace` snapshot on main with the same rows and fewer deletes: new ones of single data files in, and out those delete files of which all that
 * they say is in the new ones, or which apply to no data file any more. What deletes came meanwhile stays. Undefined if no delete file can go.
 */
export async function stageDeleteRewrite(
  table: Table,
  gathered: readonly GatheredDeletes[],
  { summary }: { summary?: Readonly<Record<string, string>> } = {},
): Promise<StagedDeleteRewrite | undefined> {
  const parent = snapshotOfRef(table.metadata, MAIN);
  const live = await liveFiles(table);
  const { kept, remove } = chooseDeletes(gathered, live);
  const used = new Set([...live.values()].flatMap(({ deletes }) => deletes.map(pathOf)));
  for await (const { filePath } of listDeleteFiles(table)) if (!used.has(filePath)) remove.add(filePath);
  if (!parent || remove.size === 0) return undefined;
  const draft = new SnapshotDraft(table);
  const append = kept.flatMap(({ deletes }) => deletes ?? []);
  const { manifests, removed } = await draft.carryOver(parent, { deletes: remove });
  const counts = { before: totalsOf(parent), added: tallyFiles(append), removed };
  const lines = [...(await draft.add(append)), ...(await draft.merge(manifests))];
  const snapshot = await draft.finish(lines, parent, { ...summarize('replace', counts), ...summary });
  const id = snapshot['snapshot-id'];
  const changes: StagedChanges = {
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': MAIN, type: 'branch', 'snapshot-id': id },
    ],
    requirements: [
      { type: 'assert-table-uuid', uuid: table.metadata['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': parent['snapshot-id'] },
    ],
    written: draft.written,
    snapshotId: draft.id,
  };
  const unused = gathered.filter((each) => !kept.includes(each)).flatMap(({ deletes }) => deletes ?? []);
  return { changes, unused, removed: remove.size };
}

async function liveFiles(table: Table): Promise<Map<string, ScanFile>> {
  const live = new Map<string, ScanFile>();
  for await (const scanned of planFiles(table, { metricsOf: NO_METRICS })) live.set(scanned.file.filePath, scanned);
  return live;
}

/** The new deletes that can be taken, and the old ones that can go then. A data file may have one deletion vector: an old one that must stay keeps a new one out. */
function chooseDeletes(
  gathered: readonly GatheredDeletes[],
  live: ReadonlyMap<string, ScanFile>,
): { kept: GatheredDeletes[]; remove: Set<string> } {
  let kept = gathered.filter(({ source }) => isStillTrue(source, live.get(source.file.filePath)));
  for (;;) {
    const remove = obsoleteDeletes(kept, live.values());
    const fit = kept.filter(({ source }) => remove.has(vectorOf(source)?.filePath ?? '') || !vectorOf(source));
    if (fit.length === kept.length) return { kept, remove };
    kept = fit;
  }
}

function vectorOf({ deletes }: ScanFile): DataFile | undefined {
  return deletes.find(({ fileFormat }) => fileFormat === 'PUFFIN');
}

/** A file may have got another deletion vector meanwhile: the new one lacks what that says. */
function isStillTrue(read: ScanFile, now: ScanFile | undefined): boolean {
  const nameOf = (vector: DataFile | undefined) => vector && `${vector.filePath}@${vector.contentOffset ?? 0n}`;
  return now !== undefined && nameOf(vectorOf(read)) === nameOf(vectorOf(now));
}

/** The delete files that no data file needs any more: each that one applies to has what it says in its new deletes. */
function obsoleteDeletes(kept: readonly GatheredDeletes[], live: Iterable<ScanFile>): Set<string> {
  const known = new Map(kept.map(({ source }) => [source.file.filePath, new Set(source.deletes.map(pathOf))]));
  const obsolete = new Set(kept.flatMap(({ source }) => source.deletes.map(pathOf)));
  for (const { file, deletes } of live) {
    for (const each of deletes) if (!known.get(file.filePath)?.has(each.filePath)) obsolete.delete(each.filePath);
  }
  return obsolete;
}

function pathOf({ filePath }: DataFile): string {
  return filePath;
}
