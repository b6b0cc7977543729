import { temporaryFolder } from '@fjord/test-harness';
import type { SelectedStream } from '@fjord/core';
import { expect, test } from 'vitest';
import { Lake, type WriteProcess } from '../write-process.ts';
import { encodeChanges, orderKey } from './change-log.ts';
import { expectSame } from './expect-same.ts';
import { KEYS, RandomTable, type Transaction } from './random-table.ts';

const CASES: { name: string; key: keyof typeof KEYS; layout: Partial<SelectedStream> }[] = [
  { name: 'a number', key: 'long', layout: {} },
  { name: 'a number, on format version 3', key: 'long', layout: { formatVersion: 3 } },
  { name: 'text, partitioned by a column that updates change', key: 'text', layout: { partition: ['month(at)'] } },
  {
    name: 'a uuid, partitioned, on version 3',
    key: 'uuid',
    layout: { partition: ['bucket(3, id)'], formatVersion: 3 },
  },
  { name: 'a decimal', key: 'decimal', layout: {} },
  { name: 'three columns, partitioned by one of them', key: 'composite', layout: { partition: ['region'] } },
];

async function openLake() {
  const folder = await temporaryFolder('fjord-upsert');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

/** Sends one transaction; gives the number of the log's next change. */
function send(write: WriteProcess, table: RandomTable, { changes, isTruncated }: Transaction, next: number): number {
  if (isTruncated) write.send({ type: 'TRUNCATE', stream: 's', position: orderKey(next) });
  const { rows, body } = encodeChanges(table.columns, changes, next + 1);
  write.batch(rows, body);
  return next + 1 + rows;
}

for (const { name, key, layout } of CASES) {
  test(`the table follows random changes of rows with a key of ${name}`, async () => {
    await using lake = await openLake();
    const kind = KEYS[key]!;
    const table = new RandomTable(kind, name.length * 7919);
    const options = {
      writeMode: 'upsert',
      columns: table.columns,
      primaryKey: kind.columns.map((column) => column.name),
      layout: { changes: {}, ...layout },
    } as const;
    await using write = lake.write(options);
    await write.started();
    write.begin(null).records('a', table.fill(200)).end('a').state('copied');
    await write.durable('copied');
    write.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
    let next = 1;
    for (let commit = 0; commit < 12; commit++) {
      for (let count = 0; count < 3; count++) next = send(write, table, table.transaction(30), next);
      write.state(`s${commit}`);
      if (commit % 3 !== 2) continue;
      await write.durable(`s${commit}`);
    }
    write.complete().state('done').endRun();
    expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
    await expectSame(lake, table);
  });
}
