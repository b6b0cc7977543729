import { mkdirSync } from 'node:fs';
import type { Column } from '@fjord/core';
import { planFiles } from '@fjord/iceberg';
import { readWithDuckDB, readWithPyIceberg, runPython, sortRows, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { COLUMNS, Lake, type WriteProcess } from '../write-process.ts';
import { type Change, encodeChanges, orderKey } from './change-log.ts';

const WITH_BIG: Column[] = [...COLUMNS, { name: 'big', type: 'string', nullable: true }];

async function openLake() {
  const folder = await temporaryFolder('fjord-modes');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

type Options = NonNullable<Parameters<Lake['write']>[0]>;

/** A run that has copied the rows 1 to 5 and was handed over at change 0. */
async function copied(lake: Lake, options: Options): Promise<WriteProcess> {
  const write = lake.write({ writeMode: 'upsert', layout: { changes: {} }, ...options });
  await write.started();
  write.begin(null).rows([1, 5], 'a').end('a').state('copied');
  await write.durable('copied');
  return write.send({ type: 'HANDOVER', stream: 's', position: orderKey(0) });
}

function change(write: WriteProcess, first: number, changes: Change[], columns = COLUMNS): WriteProcess {
  const { rows, body } = encodeChanges(columns, changes, first);
  return write.batch(rows, body);
}

async function end(write: WriteProcess, state: unknown = 'done'): Promise<void> {
  write.complete().state(state).endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
}

async function query(lake: Lake, sql: string): Promise<unknown[][]> {
  const table = await lake.table();
  if (!table) throw new Error('there is no table');
  const { rows } = await readWithDuckDB({ metadataLocation: table.metadataLocation, sql });
  return sortRows(rows);
}

const u = (id: number, name: string | null): Change => ({ op: 'u', row: { id, name } });
const c = (id: number, name: string | null): Change => ({ op: 'c', row: { id, name } });
const d = (id: number, at?: string): Change => ({ op: 'd', row: { id, name: null }, ...(at !== undefined && { at }) });

test('rows say what wrote them, from where in the log and when', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, {});
  change(write, 1, [{ ...u(2, 'new'), at: '2024-02-29T10:00:00.000001Z' }, c(6, 'six')]);
  await end(write);
  const found = await query(
    lake,
    `SELECT id, name, _fjord_op, hex(_fjord_position), _fjord_committed_at, _fjord_loaded_at > '2024-01-01' AS loaded FROM lake`,
  );
  const position = (number: number) => orderKey(number).toUpperCase();
  expect(found).toEqual([
    ['1', 'n1', 'r', null, null, 'true'],
    ['2', 'new', 'u', position(1), '2024-02-29T10:00:00.000001Z', 'true'],
    ['3', 'n3', 'r', null, null, 'true'],
    ['4', 'n4', 'r', null, null, 'true'],
    ['5', 'n5', 'r', null, null, 'true'],
    ['6', 'six', 'c', position(2), null, 'true'],
  ]);
});

test('without metadata columns the table has only the columns of its stream', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, { layout: { changes: { metadataColumns: false } } });
  change(write, 1, [u(2, 'new'), d(3)]);
  await end(write);
  expect(await query(lake, 'SELECT * FROM lake')).toEqual([
    ['1', 'n1'],
    ['2', 'new'],
    ['4', 'n4'],
    ['5', 'n5'],
  ]);
});

test('a table that only gets new rows has no delete file, and its snapshots are appends', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, {});
  change(write, 1, [c(6, 'six'), c(7, 'seven')]).state('more');
  await write.durable('more');
  change(write, 3, [c(8, 'a'), u(8, 'b'), c(9, 'x'), d(9)]);
  await end(write);
  expect(await lake.ids()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const table = await lake.table();
  const files = table ? await Array.fromAsync(planFiles(table)) : [];
  expect(files.flatMap(({ deletes }) => deletes)).toEqual([]);
  expect(table?.metadata.snapshots.map(({ summary }) => summary?.operation)).toEqual(['append', 'append', 'append']);
});

test('soft deletes mark a row and keep its values; it lives again when it is created again', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, { layout: { changes: { deletes: 'soft' } } });
  change(write, 1, [d(2, '2024-05-01T00:00:00.000000Z'), u(3, 'three'), d(3), d(99)]).state('x');
  await write.durable('x');
  change(write, 5, [c(2, 'again'), c(6, 'six'), d(6)]);
  await end(write);
  expect(await query(lake, 'SELECT id, name, _fjord_deleted_at IS NULL, _fjord_op FROM lake')).toEqual([
    ['1', 'n1', 'true', 'r'],
    ['2', 'again', 'true', 'c'],
    ['3', 'three', 'false', 'd'],
    ['4', 'n4', 'true', 'r'],
    ['5', 'n5', 'true', 'r'],
    ['6', 'six', 'false', 'd'],
  ]);
});

test('ignored deletes and truncates leave rows as they were', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, { layout: { changes: { deletes: 'ignore' } } });
  change(write, 1, [d(2), u(3, 'three'), d(3)]).send({ type: 'TRUNCATE', stream: 's', position: orderKey(4) });
  await end(write);
  const rows = [
    ['1', 'n1'],
    ['2', 'n2'],
    ['3', 'three'],
    ['4', 'n4'],
    ['5', 'n5'],
  ];
  expect(await query(lake, 'SELECT id, name FROM lake')).toEqual(rows);
});

test('a history keeps every change as a row, with the names of the columns that it did not carry', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, { writeMode: 'append', columns: WITH_BIG });
  const row = { id: 2, name: 'b', big: null };
  change(
    write,
    1,
    [
      { op: 'u', row, unset: ['big'] },
      { op: 'u', row },
      { op: 'd', row: { id: 2 } },
    ],
    WITH_BIG,
  );
  await end(write);
  const sql = 'SELECT id, name, _fjord_op, _fjord_unset FROM lake WHERE id = 2';
  expect(await query(lake, sql)).toEqual(
    sortRows([
      ['2', 'n2', 'r', null],
      ['2', 'b', 'u', ['big']],
      ['2', 'b', 'u', null],
      ['2', null, 'd', null],
    ]),
  );
  const table = await lake.table();
  const { rows } = await readWithPyIceberg({ metadataLocation: table?.metadataLocation ?? '' });
  expect(rows).toHaveLength(8);
});

test('rows without a key are a multiset: one delete takes one of the equal rows', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, { primaryKey: [] });
  change(write, 1, [c(1, 'n1'), c(1, 'n1'), c(7, null), c(7, null)]).state('x');
  await write.durable('x');
  const whole = (id: number, name: string | null): Change => ({ op: 'd', row: { id, name } });
  change(write, 5, [whole(1, 'n1'), whole(7, null), whole(2, 'n2'), c(2, 'n2'), whole(3, 'other')]);
  await end(write);
  const rows = [
    ['1', 'n1'],
    ['1', 'n1'],
    ['2', 'n2'],
    ['3', 'n3'],
    ['4', 'n4'],
    ['5', 'n5'],
    ['7', null],
  ];
  expect(await query(lake, 'SELECT id, name FROM lake')).toEqual(rows);
});

test('an unset column whose row is not in the table ends that stream and is not made null', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, { columns: WITH_BIG });
  change(write, 1, [{ op: 'u', row: { id: 77, name: 'x', big: null }, unset: ['big'] }], WITH_BIG);
  write.complete().state('done').endRun();
  expect(await write.finish()).toBe(5);
  expect(write.errors.find(({ code }) => code === 'row_missing')?.['message']).toContain('"big"');
  expect(await lake.ids()).toEqual([1, 2, 3, 4, 5]);
});

test('columns added in mid-stream are null in older rows, and older changes keep what newer rows have in them', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, {});
  change(write, 1, [u(1, 'old')])
    .schema(2, WITH_BIG)
    .batch(1, encodeChanges(WITH_BIG, [{ op: 'u', row: { id: 2, name: 'n2', big: 'BIG' } }], 2).body, 2)
    .state('x');
  await write.durable('x');
  change(write, 3, [u(2, 'older version'), c(6, 'six')]);
  await end(write);
  expect(await query(lake, 'SELECT id, name, big FROM lake WHERE id IN (1, 2, 6)')).toEqual([
    ['1', 'old', null],
    ['2', 'older version', 'BIG'],
    ['6', 'six', null],
  ]);
});

test('a widened key finds the rows of files that hold the narrower one', async () => {
  await using lake = await openLake();
  const [id, ...others] = COLUMNS;
  if (!id) throw new Error('no columns');
  const narrow: Column[] = [{ ...id, type: 'int' }, ...others];
  await using write = await copied(lake, { columns: narrow });
  change(write, 1, [u(1, 'int'), c(6, 'six')], narrow).schema(2, COLUMNS);
  write.batch(2, encodeChanges(COLUMNS, [u(2, 'long'), d(6)], 3).body, 2);
  await end(write);
  expect(await query(lake, 'SELECT id, name FROM lake WHERE id IN (1, 2, 6)')).toEqual([
    ['1', 'int'],
    ['2', 'long'],
  ]);
});

test('rows that others deleted or wrote meanwhile are not found, or found', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, { layout: { changes: { metadataColumns: false } } });
  await runPython(
    `
import sys, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
table = SqlCatalog('fjord', uri='sqlite:///' + sys.argv[1] + '/catalog.db', warehouse='file://' + sys.argv[1]).load_table('db.s')
table.append(pa.table({'id': pa.array([100, 101], pa.int64()), 'name': ['foreign', 'foreign']}, schema=pa.schema([pa.field('id', pa.int64(), False), pa.field('name', pa.string())])))
table.delete('id = 4')`,
    [`${lake.folder}/lake`],
  );
  change(write, 1, [u(100, 'ours'), u(4, 'back'), d(5)]);
  await end(write);
  expect(await query(lake, 'SELECT id, name FROM lake')).toEqual(
    sortRows([
      ['1', 'n1'],
      ['100', 'ours'],
      ['101', 'foreign'],
      ['2', 'n2'],
      ['3', 'n3'],
      ['4', 'back'],
    ]),
  );
});

test('loads without a log upsert by key: done chunks only, and the last row of a key', async () => {
  await using lake = await openLake();
  for (const [from, to] of [
    [1, 5],
    [4, 8],
  ] as const) {
    await using write = lake.write({ writeMode: 'upsert' });
    const { state } = await write.line(({ type, status }) => type === 'STATE' || status === 'STARTED');
    if (state !== undefined) await write.started();
    const rows = (name: string, low: number) =>
      Array.from({ length: to - low + 1 }, (_, at) => ({ id: low + at, name }));
    write
      .begin(state ?? null)
      .records('a', rows(`run ${from}`, from))
      .end('a')
      .records('b', rows(`last ${from}`, to));
    write.records('c', rows('discarded', from)).end('c', 'discard').end('b');
    await end(write, `run ${from}`);
  }
  expect(await query(lake, 'SELECT id, name FROM lake')).toEqual([
    ['1', 'run 1'],
    ['2', 'run 1'],
    ['3', 'run 1'],
    ['4', 'run 4'],
    ['5', 'run 4'],
    ['6', 'run 4'],
    ['7', 'run 4'],
    ['8', 'last 4'],
  ]);
});

test('a copy that replaces the table is swapped in whole, and the changes after it go on top', async () => {
  await using lake = await openLake();
  await using write = await copied(lake, {});
  change(write, 1, [u(1, 'old'), c(6, 'six')]);
  await end(write, 'one');
  await using again = lake.write({ writeMode: 'upsert', layout: { changes: {} } });
  await again.started();
  again.begin('one').send({ type: 'BACKFILL', stream: 's', generation: 2, replace: true });
  again.rows([1, 2], 'a').end('a').state('staged');
  await again.durable('staged');
  expect(await lake.ids()).toEqual([1, 2, 3, 4, 5, 6]);
  // A change that comes before the copy is complete waits for it, and so do the states behind it.
  change(again, 3, [u(1, 'changed')])
    .state('early')
    .send({ type: 'STATE', state: 'shared early' });
  again.rows([3, 4], 'b').end('b').state('more');
  again.send({ type: 'HANDOVER', stream: 's', position: orderKey(3) });
  change(again, 4, [d(2), c(7, 'seven')])
    .state('later')
    .send({ type: 'STATE', state: 'shared later' });
  await again.durable('shared later');
  await end(again);
  const rows = [
    ['1', 'changed'],
    ['3', 'n3'],
    ['4', 'n4'],
    ['7', 'seven'],
  ];
  expect(await query(lake, 'SELECT id, name FROM lake')).toEqual(rows);
});

test('deletes by key reach rows of every partition, and not those of their own commit', async () => {
  await using lake = await openLake();
  const layout = { changes: { deleteFiles: 'equality', metadataColumns: false }, partition: ['name'] } as const;
  await using write = await copied(lake, { layout: { ...layout, partition: [...layout.partition] } });
  change(write, 1, [u(1, 'moved'), d(2), d(3), c(3, 'again')]).state('x');
  await write.durable('x');
  change(write, 5, [u(1, 'moved again'), d(4)]);
  await end(write);
  expect(await query(lake, 'SELECT id, name FROM lake')).toEqual([
    ['1', 'moved again'],
    ['3', 'again'],
    ['5', 'n5'],
  ]);
  const table = await lake.table();
  const files = table ? await Array.fromAsync(planFiles(table)) : [];
  const contents = new Set(files.flatMap(({ deletes }) => deletes.map(({ content }) => content)));
  expect([...contents]).toEqual(['equality-deletes']);
});

test('a truncated table is emptied, all its rows are marked, or its history says so', async () => {
  await using lake = await openLake();
  const truncate = { type: 'TRUNCATE', stream: 's', position: orderKey(4) };
  const run = async (name: string, options: Options): Promise<unknown[][]> => {
    const own = new Lake(`${lake.folder}/${name}`);
    mkdirSync(own.folder);
    await using write = await copied(own, options);
    change(write, 1, [u(1, 'one'), d(2)]).send(truncate);
    change(write, 5, [c(1, 'new'), c(9, 'nine')]);
    await end(write);
    const columns = options.writeMode === 'append' ? 'id, name, _fjord_op' : 'id, name, _fjord_deleted_at IS NULL';
    const sql =
      options.layout?.changes?.deletes === 'hard' ? 'SELECT id, name FROM lake' : `SELECT ${columns} FROM lake`;
    return query(own, sql);
  };
  expect(await run('hard', { layout: { changes: { deletes: 'hard' } } })).toEqual([
    ['1', 'new'],
    ['9', 'nine'],
  ]);
  const marked = ['2', '3', '4', '5'].map((id) => [id, `n${id}`, 'false']);
  const soft = await run('soft', { layout: { changes: { deletes: 'soft' } } });
  expect(soft).toEqual([['1', 'new', 'true'], ...marked, ['9', 'nine', 'true']]);
  const history = await run('history', { writeMode: 'append', layout: { changes: {} } });
  expect(history.filter(([, , op]) => op !== 'r')).toEqual(
    sortRows([
      ['1', 'one', 'u'],
      ['2', null, 'd'],
      [null, null, 't'],
      ['1', 'new', 'c'],
      ['9', 'nine', 'c'],
    ]),
  );
});

test('copied rows take the place of what changes had written of them, in the same commit and in later ones', async () => {
  await using lake = await openLake();
  await using write = lake.write({ writeMode: 'upsert', layout: { changes: { metadataColumns: false } } });
  await write.started();
  write.begin(null);
  change(write, 1, [u(1, 'log'), u(2, 'log'), c(3, 'log'), d(4)]).state('changes');
  await write.durable('changes');
  write
    .records('a', [
      { id: 1, name: 'copy' },
      { id: 5, name: 'copy' },
    ])
    .end('a');
  change(write, 5, [u(2, 'later'), u(5, 'later'), u(6, 'log')]);
  write
    .records('b', [
      { id: 2, name: 'copy' },
      { id: 6, name: 'copy' },
    ])
    .end('b')
    .state('copied');
  await write.durable('copied');
  await end(write);
  expect(await query(lake, 'SELECT id, name FROM lake')).toEqual([
    ['1', 'copy'],
    ['2', 'copy'],
    ['3', 'log'],
    ['5', 'later'],
    ['6', 'copy'],
  ]);
});
