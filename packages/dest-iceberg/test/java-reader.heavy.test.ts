import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readWithJava, sortRows, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { type RandomCase, upkeepIn } from './changes/follow-random.ts';

/** Tables as Fjord writes them: of each way to delete and both formats, with rows that were copied, changed, and moved by compaction. */
const TABLES: Omit<RandomCase, 'seed'>[] = [
  { key: 'long', layout: { formatVersion: 2, partition: ['month(at)'] } },
  { key: 'long', layout: { formatVersion: 2, changes: { deleteFiles: 'equality' } } },
  { key: 'composite', layout: { formatVersion: 3, partition: ['region'] } },
  { key: 'decimal', layout: { formatVersion: 2, partition: ['truncate(10, id)'] } },
  { key: 'uuid', layout: { formatVersion: 3, partition: ['bucket(3, id)'] } },
];

test("Iceberg's own Java reader finds the rows of each table, all at once and by their values", async () => {
  await using folder = await temporaryFolder('fjord-java');
  const made = [];
  for (const [index, { key, layout }] of TABLES.entries()) {
    const own = path.join(folder.path, String(index));
    await mkdir(own);
    const { lake, table } = await upkeepIn(own, { key, layout, seed: 500 + index }, { states: 30 });
    made.push({ table, metadataLocation: (await lake.table())!.metadataLocation });
  }
  const found = await readWithJava(made.map(({ metadataLocation }) => metadataLocation));
  for (const [index, { table }] of made.entries()) {
    const { columns, rows, asked, missing } = found[index]!;
    const places = table.columns.map(({ name }) => columns.indexOf(name));
    const own = rows.map((row) => places.map((place) => row[place] ?? null));
    expect(sortRows(own)).toEqual(sortRows(table.expected()));
    expect(missing).toEqual([]);
    expect(asked).toBeGreaterThan(10);
  }
});
