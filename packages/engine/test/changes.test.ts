import type { Stream } from '@fjord/core';
import { expect, test } from 'vitest';
import { selectChanges } from '../src/changes.ts';
import { requireKnown, requireWriteModes } from '../src/connector-support.ts';

const stream = (changes: Partial<Stream> = {}): Stream => ({
  stream: 'shop.orders',
  name: 'orders',
  kind: 'table',
  columns: [{ name: 'id', type: 'long', nullable: false }],
  primaryKey: ['id'],
  cursorCandidates: [],
  syncModes: ['full', 'incremental', 'changes'],
  ...changes,
});
const keyless = stream({ primaryKey: [] });

test.each([
  { of: stream(), rule: {}, selected: { writeMode: 'append' } },
  { of: stream(), rule: { writeMode: 'overwrite' as const }, selected: { writeMode: 'overwrite' } },
  { of: stream(), rule: { syncMode: 'changes' }, selected: { writeMode: 'upsert', changes: {} } },
  { of: keyless, rule: { syncMode: 'changes' }, selected: { writeMode: 'append', changes: {} } },
  {
    of: stream(),
    rule: { syncMode: 'changes', writeMode: 'append' as const, metadataColumns: false },
    selected: { writeMode: 'append', changes: { metadataColumns: false } },
  },
  {
    of: stream(),
    rule: { syncMode: 'changes', deletes: 'soft' as const, deleteFiles: 'equality' as const },
    selected: { writeMode: 'upsert', changes: { deletes: 'soft', deleteFiles: 'equality' } },
  },
  {
    of: stream(),
    rule: { syncMode: 'incremental', writeMode: 'upsert' as const, deleteFiles: 'copy-on-write' as const },
    selected: { writeMode: 'upsert' },
  },
])('an entry $rule of a stream with the key $of.primaryKey selects $selected', ({ of, rule, selected }) => {
  expect(selectChanges(of, rule, 'p.yaml:5')).toEqual(selected);
});

test.each([
  [stream(), { deletes: 'soft' as const }, '`deletes` has no effect on this sync mode'],
  [stream(), { writeMode: 'upsert' as const }, 'only changes and increments can be upserted'],
  [keyless, { syncMode: 'incremental', writeMode: 'upsert' as const }, 'has no primary key to upsert by'],
  [
    stream(),
    { syncMode: 'incremental', writeMode: 'upsert' as const, deleteFiles: 'equality' as const },
    '`deleteFiles` has no effect on this sync mode',
  ],
  [stream({ syncModes: ['full'] }), { syncMode: 'changes' }, 'the changes of shop.orders cannot be followed'],
  [stream(), { syncMode: 'changes', writeMode: 'overwrite' as const }, 'cannot overwrite its table'],
  [keyless, { syncMode: 'changes', writeMode: 'upsert' as const }, 'has no primary key to upsert by'],
  [keyless, { syncMode: 'changes', deletes: 'hard' as const }, 'appended changes keep every row'],
])('%# what cannot be meant is refused with its place', (of, rule, message) => {
  expect(() => selectChanges(of, rule, 'p.yaml:5')).toThrow(new RegExp(`^p.yaml:5: .*${message}`));
});

test('a write mode that the destination does not have is refused, and so is copying anew what does not follow', () => {
  const selected = { ...stream(), writeMode: 'upsert' as const, target: { namespace: ['n'], name: 'o' } };
  const spec = (writeModes: ('append' | 'upsert')[]) => ({
    type: 'SPEC' as const,
    name: 'iceberg',
    kind: 'destination' as const,
    version: '1',
    protocol: { min: 1, max: 1 },
    config: {},
    capabilities: { formats: ['arrow' as const], writeModes },
  });
  expect(() => requireWriteModes(spec(['append']), [selected])).toThrow('iceberg cannot upsert rows, as shop.orders');
  requireWriteModes(spec(['append', 'upsert']), [selected]);
  expect(() => requireKnown(['shop.orders'], [selected])).toThrow('shop.orders does not follow the change log');
  expect(() => requireKnown(['shop.lost'], [{ ...selected, changes: {} }])).toThrow('has no stream shop.lost');
  requireKnown(['shop.orders'], [{ ...selected, changes: {} }]);
});
