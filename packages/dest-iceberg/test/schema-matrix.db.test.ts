import type { Column, SelectedStream } from '@fjord/core';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake } from './write-process.ts';

/** A column before and after, with the value that each time has; `now` is undefined for a dropped one, `before` for an added one. */
type Case = {
  id: string;
  before?: [name: string, type: string, value: unknown];
  now?: [name: string, type: string, value: unknown];
};

const STRUCT = (...fields: string[]) =>
  ({ type: 'struct', fields: fields.map((name) => ({ name, type: 'int' })) }) as never;

const CASES: Case[] = [
  { id: '1', before: ['id', 'long', 1], now: ['id', 'long', 2] },
  { id: '2', before: ['wide', 'int', 7], now: ['wide', 'long', '9007199254740993'] },
  { id: '3', before: ['ratio', 'float', 0.5], now: ['ratio', 'double', 0.1] },
  { id: '4', before: ['price', 'decimal(9,2)', '1.50'], now: ['price', 'decimal(20,2)', '123456789012345678.25'] },
  { id: '5', before: ['narrow', 'long', '5000000000'], now: ['narrow', 'int', 3] },
  { id: '6', before: ['gone', 'string', 'g'] },
  { id: '7', now: ['added', 'string', 'new'] },
  { id: '8', before: ['nest', STRUCT('a'), { a: 1 }], now: ['nest', STRUCT('a', 'b'), { a: 2, b: 3 }] },
  { id: '9', before: ['day', 'date', '2024-02-29'], now: ['day', 'timestamp', '2024-02-29T12:00:00.000000'] },
  { id: '10', before: ['code', 'int', 10], now: ['code', 'string', 'ten'] },
  { id: '11', before: ['old_name', 'string', 'kept'], now: ['new_name', 'string', 'fresh'] },
  { id: '12', before: ['left', 'int', 1], now: ['right', 'long', '2'] },
  { id: '13', before: ['x', 'string', 'was x'], now: ['y', 'string', 'is y'] },
  { id: '14', before: ['y', 'string', 'was y'], now: ['x', 'string', 'is x'] },
];

/** Promotions that version 3 allows and version 2 does not are made in neither: not every reader knows them. */
const INCOMPATIBLE = new Set(['9', '10']);

function columnsOf(time: 'before' | 'now', cases: readonly Case[]): Column[] {
  return cases.flatMap((each) => {
    const [name, type] = each[time] ?? [];
    if (name === undefined || type === undefined) return [];
    return [{ id: `7.${each.id}`, name, type, nullable: name !== 'id' } as Column];
  });
}

function rowOf(time: 'before' | 'now', cases: readonly Case[]): Record<string, unknown> {
  return Object.fromEntries(cases.flatMap((each) => (each[time] ? [[each[time][0], each[time][2]]] : [])));
}

/** The current rows, and those of the first snapshot, by PyIceberg and by DuckDB: one object a row. */
async function read(metadataLocation: string): Promise<Record<'py' | 'duck', { now: Row[]; first: Row[] }>> {
  const script = `
import json, sys, duckdb
from duckdb_extensions import import_extension
from pyiceberg.table import StaticTable
import_extension('avro'); import_extension('iceberg')
duck = duckdb.connect(); duck.execute('LOAD avro; LOAD iceberg')
where = sys.argv[1]
table = StaticTable.from_metadata(where)
first = table.snapshots()[0].snapshot_id
by_id = lambda rows: sorted(rows, key=lambda row: row['id'])
def scan(options=''):
    result = duck.execute(f"SELECT * FROM iceberg_scan('{where}'{options}) ORDER BY id")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row)) for row in result.fetchall()]
print(json.dumps({
    'py': {'now': by_id(table.scan().to_arrow().to_pylist()), 'first': by_id(table.scan(snapshot_id=first).to_arrow().to_pylist())},
    'duck': {'now': scan(), 'first': scan(f', snapshot_from_id={first}')},
}, default=str))`;
  return JSON.parse((await runPython(script, [metadataLocation])).stdout);
}

type Row = Record<string, unknown>;
type Policies = Pick<SelectedStream, 'onIncompatible' | 'onRename' | 'formatVersion'>;

/** Two runs with the schemas of two times; gives what readers find and how the second run ended. */
async function evolve(policies: Policies, cases: readonly Case[]) {
  await using folder = await temporaryFolder('fjord-matrix');
  const lake = new Lake(folder.path);
  await using first = lake.write({ columns: columnsOf('before', cases), layout: policies });
  first
    .begin(null)
    .records('a', [rowOf('before', cases)])
    .end('a')
    .complete()
    .state('one')
    .endRun();
  expect(await first.finish(), JSON.stringify(first.errors)).toBe(0);
  await using second = lake.write({ columns: columnsOf('now', cases), layout: policies });
  second
    .begin('one')
    .records('b', [rowOf('now', cases)])
    .end('b')
    .complete()
    .state('two')
    .endRun();
  const exit = await second.finish();
  const table = await lake.table();
  if (!table) throw new Error('there is no table');
  return { exit, errors: second.errors, found: await read(table.metadataLocation) };
}

const BEFORE = {
  id: 1,
  wide: 7,
  ratio: 0.5,
  price: '1.50',
  narrow: 5_000_000_000,
  gone: 'g',
  nest: { a: 1 },
  day: '2024-02-29',
  code: 10,
  old_name: 'kept',
  left: 1,
  x: 'was x',
  y: 'was y',
};
const EVOLVED = [
  { id: 1, wide: 7, ratio: 0.5, price: '1.50', narrow: 5_000_000_000, gone: 'g', added: null, nest: { a: 1, b: null } },
  {
    id: 2,
    wide: 9_007_199_254_740_992,
    ratio: 0.1,
    price: '123456789012345678.25',
    narrow: 3,
    gone: null,
    added: 'new',
    nest: { a: 2, b: 3 },
  },
];
const BRANCHED = [
  { day: '2024-02-29', day__timestamp: null, code: 10, code__string: null },
  { day: null, day__timestamp: '2024-02-29 12:00:00', code: null, code__string: 'ten' },
];
const RENAMED = [
  { new_name: 'kept', right: 1, y: 'was x', x: 'was y' },
  { new_name: 'fresh', right: 2, y: 'is y', x: 'is x' },
];
const NOT_RENAMED = [
  { old_name: 'kept', new_name: null, left: 1, right: null, x: 'was x', y: 'was y' },
  { old_name: null, new_name: 'fresh', left: null, right: 2, x: 'is x', y: 'is y' },
];
const merged = (...parts: Row[][]) => [0, 1].map((row) => Object.assign({}, ...parts.map((part) => part[row])) as Row);

test.each([
  [
    'columns are renamed, and what does not fit branches off',
    { onIncompatible: 'new-column' },
    merged(EVOLVED, BRANCHED, RENAMED),
  ],
  [
    'renamed columns and those that do not fit get new ones',
    { onIncompatible: 'new-column', onRename: 'new-column', formatVersion: 3 },
    merged(EVOLVED, BRANCHED, NOT_RENAMED),
  ],
] as const)('%s: two readers agree on the newest snapshot and on the first', async (_, policies, rows) => {
  const { exit, errors, found } = await evolve(policies, CASES);
  expect(exit, JSON.stringify(errors)).toBe(0);
  // JSON rounds the one integer that no double is.
  expect(found.py.now).toEqual(rows);
  expect(found.duck.now).toEqual(rows);
  expect(found.py.first).toEqual([BEFORE]);
  // DuckDB shows the rows of the first snapshot by that snapshot's schema, too.
  expect(found.duck.first).toEqual([BEFORE]);
});

test.each(
  CASES.filter(({ id }) => INCOMPATIBLE.has(id)).map((each) => [each.before?.[1], each.now?.[1], each] as const),
)('a %s that becomes a %s fails its stream, and the table stays as it was', async (before, now, each) => {
  const [id] = CASES;
  const { exit, errors, found } = await evolve({}, [id!, each]);
  expect(exit).toBe(5);
  const message = `Column "${each.before?.[0]}" is ${before} in the table and ${now} in the rows.`;
  expect(errors).toContainEqual(expect.objectContaining({ code: 'schema_incompatible', message }));
  expect(found.py.now).toEqual([{ id: 1, [each.before![0]]: each.before![2] }]);
  expect(found.duck.now).toEqual(found.py.now);
});
