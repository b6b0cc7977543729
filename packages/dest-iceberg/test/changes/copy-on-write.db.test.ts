import { readdirSync } from 'node:fs';
import { planFiles, type ScanFile } from '@fjord/iceberg';
import { readWithDuckDB, readWithPyIceberg, runPython, sortRows, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { COLUMNS, Lake, type WriteProcess } from '../write-process.ts';
import { type Change, encodeChanges, orderKey } from './change-log.ts';
import { followRandom } from './follow-random.ts';

const u = (id: number, name: string): Change => ({ op: 'u', row: { id, name } });
const d = (id: number): Change => ({ op: 'd', row: { id, name: null } });

async function openLake() {
  const folder = await temporaryFolder('fjord-rewritten');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

function start(lake: Lake, deleteFiles: 'position' | 'copy-on-write', layout = {}): WriteProcess {
  const changes = { deleteFiles, metadataColumns: false } as const;
  return lake.write({ writeMode: 'upsert', layout: { changes, ...layout } });
}

function change(write: WriteProcess, first: number, changes: Change[]): WriteProcess {
  const { rows, body } = encodeChanges(COLUMNS, changes, first);
  return write.batch(rows, body);
}

async function end(write: WriteProcess): Promise<void> {
  write.complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
}

async function filesOf(lake: Lake): Promise<ScanFile[]> {
  const table = await lake.table();
  return table ? Array.fromAsync(planFiles(table)) : [];
}

/** The rows as two readers find them, which must agree; the snapshot's own if one is named. */
async function rowsOf(lake: Lake): Promise<unknown[][]> {
  const table = await lake.table();
  if (!table) throw new Error('there is no table');
  const { metadataLocation } = table;
  const [py, duck] = [await readWithPyIceberg({ metadataLocation }), await readWithDuckDB({ metadataLocation })];
  expect(sortRows(duck.rows)).toEqual(sortRows(py.rows));
  return sortRows(py.rows);
}

for (const formatVersion of [2, 3] as const) {
  test(`files are written anew, readers need no delete files, and what older ones deleted stays deleted (version ${formatVersion})`, async () => {
    await using lake = await openLake();
    await using first = start(lake, 'position', { formatVersion });
    await first.started();
    first.begin(null).rows([1, 5], 'a').rows([6, 9], 'b').end('a').end('b').state('copied');
    await first.durable('copied');
    first.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
    change(first, 1, [d(1), u(6, 'six')]);
    await end(first);
    expect((await filesOf(lake)).filter(({ deletes }) => deletes.length > 0)).toHaveLength(2);

    await using second = start(lake, 'copy-on-write', { formatVersion });
    await second.started();
    second.begin('done').send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
    change(second, 3, [u(2, 'two'), u(2, 'two again'), d(3)]).state('x');
    await second.durable('x');
    expect((await filesOf(lake)).filter(({ deletes }) => deletes.length > 0)).toHaveLength(1);
    change(second, 6, [d(7), u(2, 'last')]);
    await end(second);
    const files = await filesOf(lake);
    expect(files.flatMap(({ deletes }) => deletes)).toEqual([]);
    expect(await rowsOf(lake)).toEqual([
      ['2', 'last'],
      ['4', 'n4'],
      ['5', 'n5'],
      ['6', 'six'],
      ['8', 'n8'],
      ['9', 'n9'],
    ]);
    const table = await lake.table();
    expect(table?.metadata.snapshots?.at(-1)?.summary?.['operation']).toBe('overwrite');
  });
}

test('a row that is changed again in another run of the same commit is in it once, and no file of it is left over', async () => {
  await using lake = await openLake();
  await using write = lake.write(
    { writeMode: 'upsert', layout: { changes: { deleteFiles: 'copy-on-write', metadataColumns: false } } },
    '--memory',
    '1',
  );
  await write.started();
  write.begin(null).rows([1, 3], 'a').end('a').state('copied');
  await write.durable('copied');
  write.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
  // A run ends at 128 kB: each batch is one of its own.
  const long = 'x'.repeat(200_000);
  for (let run = 0; run < 4; run++) change(write, 1 + 2 * run, [u(2, `${run}${long}`), u(3, `${run}`)]);
  await end(write);
  const rows = await rowsOf(lake);
  expect(rows.map(([id, name]) => [id, String(name).slice(0, 1)])).toEqual([
    ['1', 'n'],
    ['2', '3'],
    ['3', '3'],
  ]);
  const table = await lake.table();
  const folder = `${table!.metadata.location.replace('file://', '')}/data`;
  const onDisk = readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.parquet'));
  const known = (await filesOf(lake)).length;
  // The copied file is of an earlier snapshot still.
  expect(onDisk).toHaveLength(known + 1);
});

test('rows that another writer adds while files are written anew are neither lost nor doubled', async () => {
  await using lake = await openLake();
  await using write = start(lake, 'copy-on-write');
  await write.started();
  write.begin(null).rows([1, 5], 'a').end('a').state('copied');
  await write.durable('copied');
  write.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
  const appended = runPython(APPEND, [`${lake.folder}/lake`]);
  for (let round = 0; round < 20; round++) {
    change(write, 1 + round, [u(1 + (round % 5), `round ${round}`)]).state(round);
    await write.durable(round);
  }
  await appended;
  await end(write);
  const own = [1, 2, 3, 4, 5].map((id) => [String(id), `round ${14 + id}`]);
  const others = Array.from({ length: 6 }, (_, index) => [String(100 + index), 'other']);
  expect(await rowsOf(lake)).toEqual(sortRows([...own, ...others]));
});

/** Appends six rows with PyIceberg, one a commit, each again after a conflict. */
const APPEND = `
import sys
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
catalog = SqlCatalog('fjord', uri=f'sqlite:///{sys.argv[1]}/catalog.db', warehouse=f'file://{sys.argv[1]}')
schema = pa.schema([pa.field('id', pa.int64(), nullable=False), pa.field('name', pa.string())])
for number in range(6):
    for attempt in range(100):
        try:
            catalog.load_table('db.s').append(pa.table({'id': [100 + number], 'name': ['other']}, schema=schema))
            break
        except CommitFailedException:
            if attempt == 99: raise
`;

test('an increment that is upserted writes files anew, too', async () => {
  await using lake = await openLake();
  const layout = { incremental: { cursor: ['id'], deleteFiles: 'copy-on-write' as const } };
  await using first = lake.write({ writeMode: 'upsert', layout });
  first.begin(null).rows([1, 5], 'a').end('a').complete().state('one').endRun();
  expect(await first.finish()).toBe(0);
  await using second = lake.write({ writeMode: 'upsert', layout });
  second
    .begin('one')
    .records('b', [
      { id: 5, name: 'five' },
      { id: 6, name: 'six' },
    ])
    .end('b')
    .complete();
  second.state('two').endRun();
  expect(await second.finish(), JSON.stringify(second.errors)).toBe(0);
  expect(await rowsOf(lake)).toEqual([
    ...[1, 2, 3, 4].map((id) => [String(id), `n${id}`]),
    ['5', 'five'],
    ['6', 'six'],
  ]);
  expect((await filesOf(lake)).flatMap(({ deletes }) => deletes)).toEqual([]);
});

test('the table follows random changes by files that are written anew', () =>
  followRandom({
    key: 'composite',
    layout: { changes: { deleteFiles: 'copy-on-write' }, partition: ['region'], formatVersion: 3 },
    seed: 11,
  }));
