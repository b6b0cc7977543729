import type { SelectedStream } from '@fjord/core';
import { temporaryFolder } from '@fjord/test-harness';
import { expect } from 'vitest';
import { Lake, type WriteProcess } from '../write-process.ts';
import { encodeChanges, orderKey } from './change-log.ts';
import { expectSame } from './expect-same.ts';
import { KEYS, RandomTable, type Transaction } from './random-table.ts';

export type RandomCase = { key: keyof typeof KEYS; layout: Partial<SelectedStream>; seed: number };

/** Maintenance at every turn. */
const EAGER = {
  minInputFiles: 2,
  deletedShare: 0.2,
  filesWhileFollowing: 1,
  snapshotsWhileFollowing: 4,
  snapshotsToKeep: 1,
};

/** Copies a random table, sends its changes, and compares what two readers find with what it has become. */
export async function followRandom({ key, layout, seed }: RandomCase): Promise<void> {
  await using folder = await temporaryFolder('fjord-upsert');
  const lake = new Lake(folder.path);
  const kind = KEYS[key]!;
  const table = new RandomTable(kind, seed);
  const primaryKey = kind.columns.map((column) => column.name);
  const options = { writeMode: 'upsert', columns: table.columns, primaryKey } as const;
  await using write = lake.write({ ...options, layout: { changes: {}, ...layout } });
  await write.started();
  write.begin(null).records('a', table.fill(200)).end('a').state('copied');
  await write.durable('copied');
  write.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
  let next = 1;
  for (let state = 0; state < 12; state++) {
    for (let count = 0; count < 3; count++) next = send(write, { table, next, transaction: table.transaction(30) });
    write.state(state);
    // What comes between two waits is committed together.
    if (state % 3 === 2) await write.durable(state);
  }
  write.complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  await expectSame(lake, table);
}

/** As `followRandom`, while the table is put in order again and again; gives what was said of that, and how many snapshots were left. */
export async function followWithUpkeep(random: RandomCase, states: number) {
  await using folder = await temporaryFolder('fjord-upkeep');
  const { lake, table, said } = await upkeepIn(folder.path, random, { states });
  await expectSame(lake, table, { hasKeyDeletes: random.layout.changes?.deleteFiles === 'equality' });
  return { said, snapshots: (await lake.table())!.metadata.snapshots.length };
}

/** Follows random changes into a lake in a folder, which is put in order meanwhile. */
export async function upkeepIn(
  folder: string,
  { key, layout, seed }: RandomCase,
  { states, config }: { states: number; config?: Record<string, unknown> },
) {
  const lake = new Lake(folder);
  const kind = KEYS[key]!;
  const table = new RandomTable(kind, seed);
  const primaryKey = kind.columns.map((column) => column.name);
  const options = { writeMode: 'upsert', columns: table.columns, primaryKey } as const;
  const own = { layout: { changes: {}, ...layout }, config: { maintenance: EAGER, ...config } };
  await using write = lake.write({ ...options, ...own }, '--follow');
  await write.started();
  write.begin(null).records('a', table.fill(200)).end('a').state('copied');
  await write.durable('copied');
  write.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
  let next = 1;
  for (let state = 0; state < states; state++) {
    next = send(write, { table, next, transaction: table.transaction(20) });
    write.state(state);
    await write.durable(state);
  }
  write.complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  return { lake, table, said: write.errors.filter(({ type }) => type === 'LOG') };
}

type Sent = { table: RandomTable; transaction: Transaction; next: number };

/** Sends one transaction in batches of a few changes; gives the number of the log's next change. */
function send(write: WriteProcess, { table, transaction: { changes, isTruncated }, next }: Sent): number {
  if (isTruncated) write.send({ type: 'TRUNCATE', stream: 's', position: orderKey(next) });
  const { rows, body } = encodeChanges(table.columns, changes, next + 1);
  write.batch(rows, body);
  return next + 1 + rows;
}
