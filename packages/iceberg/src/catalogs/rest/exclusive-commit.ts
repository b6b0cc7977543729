import type { Table, TableChanges } from '../../catalog.ts';
import { SnapshotDraft } from '../../snapshot-draft.ts';
import { MAIN, type Snapshot } from '../../snapshot.ts';
import { NOTHING, summarize } from '../../summary.ts';
import { snapshotOfRef } from '../../table-metadata.ts';
import type { TableRequirement } from '../../table-requirement.ts';
import { completeRequirements } from './requirements.ts';

/** The branch whose head tells commits apart that change properties only. It holds one empty snapshot and no rows. */
export const FENCE = 'fjord-fence';

/** Changes that a REST catalog commits only on top of `base`, and the files written for that. */
export interface ExclusiveChanges extends TableChanges {
  readonly written: readonly string[];
  /** A manifest list that nobody needs once the commit is made. */
  readonly outdated: readonly string[];
}

/**
 * Makes changes that fail if another commit of ours came first. A REST catalog has no requirement for properties, so of two who change
 * the same one both would succeed. Therefore each commit requires the heads of main and of the fence, and one that sets properties
 * without moving a branch moves the fence to a new empty snapshot.
 */
export async function makeExclusive(base: Table, changes: TableChanges): Promise<ExclusiveChanges> {
  const fence = snapshotOfRef(base.metadata, FENCE);
  const heads = [sameHead(MAIN, snapshotOfRef(base.metadata, MAIN)), sameHead(FENCE, fence)];
  const { updates } = changes;
  const required = { updates, requirements: [...heads, ...changes.requirements] };
  const needsFence = updates.some(({ action }) => action === 'set-properties' || action === 'remove-properties');
  const movesBranch = updates.some(({ action }) => action === 'set-snapshot-ref');
  if (!needsFence || movesBranch) {
    return { updates, requirements: completeRequirements(base, required), written: [], outdated: [] };
  }
  const draft = new SnapshotDraft(base);
  const snapshot = await draft.finish(
    [],
    undefined,
    summarize('append', { before: undefined, added: NOTHING, removed: NOTHING }),
  );
  return {
    updates: [
      ...updates,
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': FENCE, type: 'branch', 'snapshot-id': draft.id },
      ...(fence ? [{ action: 'remove-snapshots' as const, 'snapshot-ids': [fence['snapshot-id']] }] : []),
    ],
    requirements: completeRequirements(base, required),
    written: draft.written,
    outdated: fence?.['manifest-list'] === undefined ? [] : [fence['manifest-list']],
  };
}

function sameHead(ref: string, head: Snapshot | undefined): TableRequirement {
  return { type: 'assert-ref-snapshot-id', ref, 'snapshot-id': head?.['snapshot-id'] ?? null };
}
