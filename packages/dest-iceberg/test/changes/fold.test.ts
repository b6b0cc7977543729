import type { Column } from '@fjord/core';
import { expect, test } from 'vitest';
import { ChangeRows } from '../../src/changes/change-rows.ts';
import { foldRun, type FoldOptions } from '../../src/changes/fold.ts';
import { RunRows } from '../../src/changes/run-rows.ts';
import { findGaps } from '../../src/changes/unset.ts';
import { decodeRows } from '../../src/partition/decode-rows.ts';
import { type Change, encodeChanges, orderKey } from './change-log.ts';

const COLUMNS: Column[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'a', type: 'int', nullable: true },
  { name: 'b', type: 'int', nullable: true },
];
const c = (id: string): Change => ({ op: 'c', row: { id, a: 1, b: 1 } });
const u = (id: string, unset: string[] = []): Change => ({ op: 'u', row: { id, a: 2, b: 2 }, unset });
const d = (id: string): Change => ({ op: 'd', row: { id } });

function fold(changes: Change[][], options: Partial<FoldOptions> = {}) {
  let first = 1;
  const batches = changes.flatMap((batch) => {
    const { body } = encodeChanges(COLUMNS, batch, first);
    first += batch.length;
    return decodeRows(body).map((rows) => new ChangeRows(rows, COLUMNS.length));
  });
  return foldRun(new RunRows(batches), {
    key: [0],
    isKeyless: false,
    deletes: 'hard',
    handover: undefined,
    ...options,
  });
}

const HANDOVER = Buffer.from(orderKey(0), 'hex');

test.each<{ name: string; changes: Change[][]; options?: Partial<FoldOptions>; winners: number[]; obsolete: number }>([
  { name: 'the last change of a key stays', changes: [[u('x')], [u('y'), u('x')]], winners: [1, 2], obsolete: 2 },
  { name: 'a deleted row goes', changes: [[u('x'), d('x')]], winners: [], obsolete: 1 },
  { name: 'before the handover inserts are looked up', changes: [[c('x')]], winners: [0], obsolete: 1 },
  { name: 'after it they are new', changes: [[c('x')]], options: { handover: HANDOVER }, winners: [0], obsolete: 0 },
  {
    name: 'an insert at or before the place of the handover is looked up',
    changes: [[c('x'), c('y')]],
    options: { handover: Buffer.from(orderKey(1), 'hex') },
    winners: [0, 1],
    obsolete: 1,
  },
  {
    name: 'an insert after a delete of its key replaces what the delete would',
    changes: [[d('x'), c('x')]],
    options: { handover: HANDOVER },
    winners: [1],
    obsolete: 1,
  },
  {
    name: 'a new row that is deleted again leaves nothing to look up',
    changes: [[c('x'), d('x')]],
    options: { handover: HANDOVER },
    winners: [],
    obsolete: 0,
  },
  {
    name: 'where deleted rows stay an insert may have to replace one',
    changes: [[c('x')]],
    options: { handover: HANDOVER, deletes: 'soft' },
    winners: [0],
    obsolete: 1,
  },
  { name: 'a marked row stays', changes: [[d('x')]], options: { deletes: 'soft' }, winners: [0], obsolete: 1 },
  {
    name: 'an ignored delete is none',
    changes: [[u('x'), d('x'), d('y')]],
    options: { deletes: 'ignore' },
    winners: [0],
    obsolete: 1,
  },
])('$name', ({ changes, options, winners, obsolete }) => {
  const folded = fold(changes, options);
  expect([...folded.winners]).toEqual(winners);
  expect(folded.obsolete.values).toHaveLength(obsolete);
});

test('without a key equal rows are counted', () => {
  const whole = (op: 'c' | 'd', id: string): Change => ({ op, row: { id, a: null, b: 7 } });
  const changes = [
    whole('c', 'x'),
    whole('c', 'x'),
    whole('d', 'y'),
    whole('c', 'y'),
    whole('d', 'z'),
    whole('d', 'x'),
  ];
  const folded = fold([changes], { key: [0, 1, 2], isKeyless: true });
  expect(folded.winners).toHaveLength(1);
  expect([...(folded.limits ?? [])]).toEqual([0, 0, 1]);
});

test.each<{ name: string; changes: Change[]; origins: object[] }>([
  { name: 'the row in the table', changes: [u('x', ['a'])], origins: [{ type: 'live', key: 0 }] },
  { name: 'an earlier change', changes: [u('x'), u('x', ['a'])], origins: [{ type: 'row', row: 0 }] },
  {
    name: 'column by column',
    changes: [u('x', ['b']), u('x', ['a', 'b'])],
    origins: [
      { type: 'row', row: 0 },
      { type: 'live', key: 0 },
    ],
  },
  {
    name: 'the row that a change of key removes',
    changes: [d('old'), { ...c('new'), unset: ['a'] }],
    origins: [{ type: 'live', key: 0 }],
  },
  {
    name: 'a change of the old key',
    changes: [u('old'), d('old'), { ...c('new'), unset: ['a'] }, u('new', ['a'])],
    origins: [{ type: 'row', row: 0 }],
  },
  { name: 'nowhere', changes: [d('x'), u('y'), u('x', ['a'])], origins: [{ type: 'missing' }] },
])('a column that is not in the log comes from $name', ({ changes, origins }) => {
  const folded = fold([changes]);
  const layout = { columns: COLUMNS, carried: COLUMNS.length, key: [0], isKeyless: false };
  const gaps = findGaps(
    folded,
    { ...layout, fileColumns: COLUMNS, metadata: [], fields: [], keyFields: { fields: [], exact: true } },
    'hard',
  );
  expect(gaps.map(({ origin }) => origin)).toEqual(origins);
});
