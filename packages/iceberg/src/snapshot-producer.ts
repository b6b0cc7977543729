import type { Table, TableChanges } from './catalog.ts';
import { type DataFile, isDataFile } from './data-file.ts';
import { IcebergError } from './errors.ts';
import type { ManifestFile } from './manifest-list.ts';
import { snapshotsOnlyOn } from './snapshot-history.ts';
import { MAIN, type Snapshot, type Summary } from './snapshot.ts';
import { type Removal, SnapshotDraft } from './snapshot-draft.ts';
import { plus, summarize, tallyFiles, totalsOf } from './summary.ts';
import { snapshotOfRef } from './table-metadata.ts';
import type { TableRequirement } from './table-requirement.ts';
import type { TableUpdate } from './table-update.ts';

/** What a snapshot changes. */
export interface SnapshotChanges {
  /** The branch to put it on: `main` unless said. A branch that does not exist yet starts empty, without a parent. */
  readonly branch?: string | undefined;
  /** Data and delete files, already written, that the snapshot adds. */
  readonly append?: readonly DataFile[] | undefined;
  /** Live files of the branch that the snapshot removes. */
  readonly remove?: Removal | undefined;
  /** Further entries of the snapshot's summary. */
  readonly summary?: Readonly<Record<string, string>> | undefined;
  /** Table properties set in the same commit. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** How a branch takes the place of what is on main. */
export interface SwapChanges extends Omit<SnapshotChanges, 'branch'> {
  /** The staged branch. One that does not exist counts as empty. */
  readonly branch: string;
  /** The branch's head that was staged; another one is a conflict. */
  readonly expectedBranchHead?: bigint | undefined;
  /** Main's head when the branch was begun (null: there was none); another one is a conflict. */
  readonly expectedMainHead?: bigint | null | undefined;
  readonly remove: Removal;
}

/** Changes ready to be committed, and the files written for them. */
export interface StagedChanges extends TableChanges {
  /** Manifests and manifest lists that are of no use if the commit definitely fails. */
  readonly written: readonly string[];
  /** The new snapshot; undefined if there was nothing to add or remove and only properties change. */
  readonly snapshotId: bigint | undefined;
}

/**
 * Stages a snapshot: writes its manifests and manifest list, and returns the updates and requirements that publish it. The
 * operation is `append` if only data files are added, `overwrite` otherwise. Earlier manifests are kept unread unless files are removed.
 */
export async function stageSnapshot(table: Table, changes: SnapshotChanges): Promise<StagedChanges> {
  const branch = changes.branch ?? MAIN;
  const parent = snapshotOfRef(table.metadata, branch);
  const draft = new SnapshotDraft(table);
  const append = changes.append ?? [];
  const { manifests, removed } = await draft.carryOver(parent, changes.remove);
  const requirements = [sameTable(table), sameHead(branch, parent)];
  if (append.length === 0 && removed.dataFiles + removed.deleteFiles === 0n) {
    return { updates: setProperties(changes.properties), requirements, written: draft.written, snapshotId: undefined };
  }
  const isAppend = append.every(isDataFile) && removed.dataFiles + removed.deleteFiles === 0n;
  const counts = { before: totalsOf(parent), added: tallyFiles(append), removed };
  const summary = { ...summarize(isAppend ? 'append' : 'overwrite', counts), ...changes.summary };
  const kept = await draft.merge(manifests);
  const snapshot = await draft.finish([...(await draft.add(append)), ...kept], parent, summary);
  const updates = [...publish(snapshot, branch), ...setProperties(changes.properties)];
  return { updates, requirements, written: draft.written, snapshotId: draft.id };
}

/**
 * Stages the swap of a branch for what is on main, in one commit: a new snapshot on main that holds the branch's files, what
 * main keeps, and the files to append; the branch and its snapshots are removed. Readers of main see the old rows or the new.
 */
export async function stageSwap(table: Table, changes: SwapChanges): Promise<StagedChanges> {
  const main = snapshotOfRef(table.metadata, MAIN);
  const branch = snapshotOfRef(table.metadata, changes.branch);
  checkHeads(table, changes);
  const draft = new SnapshotDraft(table);
  const { manifests: kept, removed } = await draft.carryOver(main, changes.remove);
  const { manifests: staged } = await draft.carryOver(branch, undefined);
  checkEqualityDeletes(table, kept, staged);
  const append = changes.append ?? [];
  const branchTotals = totalsOf(branch);
  const before = branchTotals && totalsOf(main);
  const added = branchTotals ? plus(branchTotals, tallyFiles(append)) : tallyFiles(append);
  const summary: Summary = { ...summarize('overwrite', { before, added, removed }), ...changes.summary };
  const snapshot = await draft.finish([...(await draft.add(append)), ...staged, ...kept], main, summary);
  const updates = [
    ...publish(snapshot, MAIN),
    ...dropBranch(table, changes.branch),
    ...setProperties(changes.properties),
  ];
  const requirements = [sameTable(table), sameHead(MAIN, main), sameHead(changes.branch, branch)];
  return { updates, requirements, written: draft.written, snapshotId: draft.id };
}

/** Stages the removal of a branch and of the snapshots that only it holds: for a staged overwrite that is given up. */
export function stageBranchRemoval(table: Table, branch: string): StagedChanges {
  const requirements = [sameTable(table), sameHead(branch, snapshotOfRef(table.metadata, branch))];
  return { updates: dropBranch(table, branch), requirements, written: [], snapshotId: undefined };
}

function publish(snapshot: Snapshot, branch: string): TableUpdate[] {
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', 'ref-name': branch, type: 'branch', 'snapshot-id': snapshot['snapshot-id'] },
  ];
}

/**
 * The branch's snapshots go with it. If they stayed, unreferenced, then an expiry by Iceberg's reference implementation would
 * take them for a rolled-back write and delete the files that they added, which are main's by then.
 */
function dropBranch(table: Table, branch: string): TableUpdate[] {
  if (!table.metadata.refs[branch]) return [];
  const ids = snapshotsOnlyOn(table.metadata, branch);
  const removal: TableUpdate[] = ids.length > 0 ? [{ action: 'remove-snapshots', 'snapshot-ids': ids }] : [];
  return [{ action: 'remove-snapshot-ref', 'ref-name': branch }, ...removal];
}

function setProperties(properties: Readonly<Record<string, string>> | undefined): TableUpdate[] {
  return properties && Object.keys(properties).length > 0 ? [{ action: 'set-properties', updates: properties }] : [];
}

function sameTable(table: Table): TableRequirement {
  return { type: 'assert-table-uuid', uuid: table.metadata['table-uuid'] };
}

function sameHead(ref: string, head: Snapshot | undefined): TableRequirement {
  return { type: 'assert-ref-snapshot-id', ref, 'snapshot-id': head?.['snapshot-id'] ?? null };
}

function checkHeads(table: Table, changes: SwapChanges): void {
  const head = (ref: string) => table.metadata.refs[ref]?.['snapshot-id'] ?? null;
  const { branch, expectedBranchHead, expectedMainHead } = changes;
  if (branch === MAIN) throw new IcebergError('invalid_argument', 'The main branch cannot be swapped for itself.');
  if (expectedBranchHead !== undefined && expectedBranchHead !== head(branch)) throw changed(table, branch);
  if (expectedMainHead !== undefined && expectedMainHead !== head(MAIN)) throw changed(table, MAIN);
}

function changed(table: Table, ref: string): IcebergError {
  return new IcebergError(
    'commit_conflict',
    `Branch "${ref}" of the table at ${table.location} was changed by another writer.`,
  );
}

/** An equality delete that stays on main would hit staged rows whose sequence number is lower, though it was never meant for them. */
function checkEqualityDeletes(table: Table, kept: readonly ManifestFile[], staged: readonly ManifestFile[]): void {
  const lowest = staged.reduce(
    (number, manifest) => (manifest.minSequenceNumber < number ? manifest.minSequenceNumber : number),
    1n << 62n,
  );
  const isHarmless = (manifest: ManifestFile) =>
    manifest.content === 'data' ||
    manifest.addedFiles + manifest.existingFiles === 0 ||
    manifest.sequenceNumber <= lowest;
  if (kept.every(isHarmless)) return;
  const totals = totalsOf(snapshotOfRef(table.metadata, MAIN));
  if (totals?.equalityDeletes === 0n) return;
  throw new IcebergError(
    'unsupported',
    `The table at ${table.location} keeps equality deletes that would hit the staged rows; remove all files instead.`,
  );
}
