import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, temporaryFolder } from '@fjord/test-harness';
import { Binary, Int32, Int64, Table, tableToIPC, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import { expect, test } from 'vitest';

const SCRIPT = path.join(import.meta.dirname, 'encode-much.ts');
const MEGABYTE = 1024 * 1024;

// What was measured (55, 362, 414 and 312 MB) and some room for the garbage between two collections. The last two encode 1.6 GB.
test.each([
  ['10,000 tiny tables one after the other', 'in-turn', tinyTable, { files: 10_000, rows: 100_000 }, 80],
  ['10,000 tiny tables that are open at the same time', 'at-once', tinyTable, { files: 10_000, rows: 100_000 }, 450],
  ['a table of 1,600 columns', 'repeated', wideTable, { files: 1, rows: 100_000 }, 550],
  ['cells of 16 MB', 'repeated', largeCell, { files: 1, rows: 100 }, 400],
])('memory of a process stays within its bound for %s', async (_, scenario, makeTable, counts, boundMB) => {
  await using folder = await temporaryFolder('memory');
  const source = path.join(folder.path, 'table.arrows');
  writeFileSync(source, tableToIPC(makeTable(), 'stream'));
  const times = scenario === 'repeated' ? counts.rows / makeTable().numRows : counts.files;
  const { stdout } = await mustRun(process.execPath, [SCRIPT, scenario, source, String(times)]);
  const { before, most, ...found } = JSON.parse(stdout);
  expect(found).toEqual(counts);
  expect((most - before) / MEGABYTE).toBeLessThan(boundMB);
});

function tinyTable(): Table {
  const rows = Array.from({ length: 10 }, (_, row) => row);
  return new Table({
    id: vectorFromArray(rows, new Int32()),
    name: vectorFromArray(
      rows.map((row) => `name ${row}`),
      new Utf8(),
    ),
  });
}

function wideTable(): Table {
  const rows = Array.from({ length: 1000 }, (_, row) => row);
  const numbers = vectorFromArray(rows, new Int32());
  const texts = vectorFromArray(
    rows.map((row) => String(row).padStart(12, '0')),
    new Utf8(),
  );
  const columns: Record<string, Vector> = {};
  for (let column = 0; column < 1600; column++) columns[`c${column}`] = column % 2 === 0 ? numbers : texts;
  return new Table(columns);
}

function largeCell(): Table {
  return new Table({
    id: vectorFromArray([0n], new Int64()),
    cell: vectorFromArray([new Uint8Array(16 * MEGABYTE)], new Binary()),
  });
}
