import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SourceMessage } from '@fjord/core';
import { expect, test } from 'vitest';
import { HeldChanges, HoldRoom } from '../../src/changes/held-changes.ts';
import { SpillFolder } from '../../src/changes/spill-folder.ts';

const batch = (text: string): SourceMessage => ({
  type: 'BATCH',
  stream: 's',
  kind: 'changes',
  schema: 1,
  rows: 1,
  body: [Buffer.from(text), Buffer.from('')],
});
const truncate: SourceMessage = { type: 'TRUNCATE', stream: 's', position: '00' };
const released = async (held: HeldChanges) => {
  const items: unknown[] = [];
  for await (const item of held.release()) {
    if ('covered' in item) items.push({ covered: item.covered });
    else items.push(item.message.type === 'BATCH' ? Buffer.concat(item.message.body).toString() : item.message.type);
  }
  return items;
};

test.each([
  { where: 'in memory', maxMemory: 1_000_000 },
  { where: 'on disk', maxMemory: 0 },
  { where: 'in memory, then on disk', maxMemory: 600 },
])('what a commit covers comes out in order, the rest stays: $where', async ({ maxMemory }) => {
  await using folder = await SpillFolder.open();
  const room = new HoldRoom({ folder: folder.path, maxMemory, maxDisk: 1e9 });
  await using held = new HeldChanges(room, '0');
  for (const text of ['one', 'two']) await held.add(batch(text));
  await held.cover('p1');
  await held.cover('p1, again: nothing came');
  await held.add(truncate);
  await held.add(batch('three'));
  await held.cover({ lsn: 'p2' });
  await held.add(batch('four'));
  expect(await released(held)).toEqual([
    'one',
    'two',
    { covered: 'p1' },
    'TRUNCATE',
    'three',
    { covered: { lsn: 'p2' } },
  ]);
  expect([held.size, held.hasCovered]).toEqual([1, false]);
  await held.cover('p3');
  expect(await released(held)).toEqual(['four', { covered: 'p3' }]);
  expect([held.size, held.bytes, room.memory, room.disk]).toEqual([0, 0, 0, 0]);
  expect(await readdir(folder.path)).toEqual([]);
});

test('what is on disk can be read by nobody else, counts against the limit, and goes when it is forgotten', async () => {
  await using folder = await SpillFolder.open();
  const room = new HoldRoom({ folder: folder.path, maxMemory: 0, maxDisk: 1000 });
  const held = new HeldChanges(room, '7');
  await held.add(batch('x'.repeat(500)));
  expect(room.isFull).toBe(false);
  await held.add(batch('x'.repeat(500)));
  expect(room.isFull).toBe(true);
  expect((await stat(path.join(folder.path, '7.held'))).mode & 0o777).toBe(0o600);
  expect((await stat(folder.path)).mode & 0o777).toBe(0o700);
  await held.forget();
  expect([room.disk, held.size, await readdir(folder.path)]).toEqual([0, 0, []]);
});
