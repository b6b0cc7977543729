import { expect, test } from 'vitest';
import { MAIN, newTableMetadata, planExpiry, type SnapshotRef, type TableMetadata } from '../src/index.ts';
import { ORDER_SCHEMA } from './warehouse.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;

/** Snapshots by id, the days since they were made and their parents. */
function tableOf(
  snapshots: readonly (readonly [id: number, days: number, parent?: number])[],
  refs: Record<string, Partial<SnapshotRef> & { id: number }>,
  properties: Record<string, string> = {},
): TableMetadata {
  return {
    ...newTableMetadata({ location: '/t', schema: ORDER_SCHEMA, properties }),
    snapshots: snapshots.map(([id, days, parent]) => ({
      'snapshot-id': BigInt(id),
      ...(parent !== undefined && { 'parent-snapshot-id': BigInt(parent) }),
      'sequence-number': BigInt(id),
      'timestamp-ms': NOW - days * DAY,
      'manifest-list': `/t/${id}`,
    })),
    refs: Object.fromEntries(
      Object.entries(refs).map(([name, { id, ...ref }]) => [
        name,
        { type: 'branch', ...ref, 'snapshot-id': BigInt(id) },
      ]),
    ),
  };
}

const plan = (metadata: TableMetadata, days = 5, minSnapshotsToKeep = 1) => {
  const { snapshotIds, refs } = planExpiry(metadata, { maxSnapshotAgeMs: days * DAY, minSnapshotsToKeep, nowMs: NOW });
  return { ids: snapshotIds.map(Number), refs };
};

const HISTORY = [
  [1, 10],
  [2, 8, 1],
  [3, 6, 2],
  [4, 1, 3],
] as const;

test.each<[string, TableMetadata, number[], string[]]>([
  ['those past their age', tableOf(HISTORY, { [MAIN]: { id: 4 } }), [1, 2, 3], []],
  ['never the head', tableOf([[1, 99]], { [MAIN]: { id: 1 } }), [], []],
  ['not what a tag holds', tableOf(HISTORY, { [MAIN]: { id: 4 }, t: { id: 2, type: 'tag' } }), [1, 3], []],
  ['not what a branch keeps by count', tableOf(HISTORY, { [MAIN]: { id: 4, 'min-snapshots-to-keep': 3 } }), [1], []],
  ['not what a branch keeps by age', tableOf(HISTORY, { [MAIN]: { id: 4, 'max-snapshot-age-ms': 9 * DAY } }), [1], []],
  [
    'a branch that is over',
    tableOf(HISTORY, { [MAIN]: { id: 4 }, b: { id: 3, 'max-ref-age-ms': DAY } }),
    [1, 2, 3],
    ['b'],
  ],
  ['not another branch', tableOf([...HISTORY, [5, 7, 1]], { [MAIN]: { id: 4 }, b: { id: 5 } }), [1, 2, 3], []],
  ['stray ones by age', tableOf([...HISTORY, [5, 7], [6, 2]], { [MAIN]: { id: 4 } }), [1, 2, 3, 5], []],
  [
    'what the table says',
    tableOf(HISTORY, { [MAIN]: { id: 4 } }, { 'history.expire.max-snapshot-age-ms': String(7 * DAY) }),
    [1, 2],
    [],
  ],
  [
    'what the table says of counts',
    tableOf(HISTORY, { [MAIN]: { id: 4 } }, { 'history.expire.min-snapshots-to-keep': '2' }),
    [1, 2],
    [],
  ],
])('expires %s', (_what, metadata, ids, refs) => {
  expect(plan(metadata)).toEqual({ ids, refs });
});
