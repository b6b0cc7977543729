import type { SelectedStream } from '@fjord/core';
import { findMySQLProblem, type SqlServer, startMariaDB, startMySQL } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MysqlDatabase } from '../src/database.ts';
import { chunkRequest, execute, openDatabase, planRequest, selectNamed, tableOf } from './mysql-fixture.ts';

const SERVERS: [name: string, start: () => Promise<SqlServer>, problem: string | undefined][] = [
  ['MariaDB', () => startMariaDB('grown'), undefined],
  ['MySQL', () => startMySQL(), findMySQLProblem()],
];

describe.for(SERVERS)('%s', ([, start, problem]) => {
  const skip = problem !== undefined;
  let server: SqlServer;
  beforeAll(async () => {
    if (skip) return;
    server = await start();
    await execute(server, ['CREATE DATABASE IF NOT EXISTS grown']);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test.for([
    ['int', (n: number) => String(n)],
    ['timestamp(6) NULL', (n: number) => `'2024-01-01 00:00:00.00000${n}'`],
    ['varchar(20) CHARACTER SET latin1', (n: number) => `'ü${n}'`],
    ['varbinary(20)', (n: number) => `X'FF0${n}'`],
    ['decimal(20,5)', (n: number) => `-100.5 + ${n}`],
  ] as const)('reads what is new by a cursor of type %s, and what has the same value', { skip }, async ([type, at]) => {
    const table = `grown.by_${type.replaceAll(/\W/g, '_')}`;
    await execute(server, [
      `CREATE TABLE ${table} (id int PRIMARY KEY, at ${type}, f float)`,
      `INSERT INTO ${table} VALUES (1, ${at(1)}, 0.1), (2, ${at(2)}, 16777216), (3, NULL, NULL)`,
    ]);
    await using database = openDatabase(server);
    const stream = incremental(await selectNamed(database, table), ['at']);
    const first = await read(database, stream, undefined);
    expect(first.ids).toEqual([1, 2, 3]);
    expect((await read(database, stream, first.boundary)).ids).toEqual([]);
    await execute(server, [
      `INSERT INTO ${table} VALUES (4, ${at(2)}, 1), (5, ${at(3)}, 1), (6, ${at(1)}, 1)`,
      `UPDATE ${table} SET f = 16777218 WHERE id = 2`,
    ]);
    const second = await read(database, stream, first.boundary);
    expect(second.ids).toEqual([2, 4, 5]);
    expect((await read(database, stream, second.boundary)).ids).toEqual([]);
  });

  test('reads further copies of rows that are equal, where no key tells them apart', { skip }, async () => {
    await execute(server, [
      'CREATE TABLE grown.keyless (id int, at int)',
      'INSERT INTO grown.keyless VALUES (1, 1), (1, 1), (2, 1)',
    ]);
    await using database = openDatabase(server);
    const stream = incremental(await selectNamed(database, 'grown.keyless'), ['at']);
    const first = await read(database, stream, undefined);
    expect(first.ids).toEqual([1, 1, 2]);
    await execute(server, ['INSERT INTO grown.keyless VALUES (1, 1), (3, 1)']);
    expect((await read(database, stream, first.boundary)).ids).toEqual([1, 3]);
  });

  test('compares several columns, takes a fallback, and looks back', { skip }, async () => {
    await execute(server, [
      'CREATE TABLE grown.several (id int PRIMARY KEY, a int, b int, changed datetime NULL, made datetime)',
      "INSERT INTO grown.several VALUES (1, 1, 9, '2024-01-01 00:00:10', '2024-01-01'), (2, 2, 1, NULL, '2024-01-01 00:01:00')",
    ]);
    await using database = openDatabase(server);
    const selected = await selectNamed(database, 'grown.several');
    const pair = incremental(selected, ['a', 'b']);
    const fallen: SelectedStream = {
      ...selected,
      incremental: { cursor: ['changed'], fallback: 'made', lookbackSeconds: 30 },
    };
    const [ofPair, ofFallen] = [await read(database, pair, undefined), await read(database, fallen, undefined)];
    await execute(server, [
      "INSERT INTO grown.several VALUES (3, 2, 0, '2024-01-01 00:00:20', NULL), (4, 2, 2, '2024-01-01 00:00:45', NULL)",
    ]);
    expect((await read(database, pair, ofPair.boundary)).ids).toEqual([4]);
    expect((await read(database, fallen, ofFallen.boundary)).ids).toEqual([4]);
  });
});

const incremental = (stream: SelectedStream, cursor: string[]): SelectedStream => ({
  ...stream,
  incremental: { cursor },
});

async function read(database: MysqlDatabase, stream: SelectedStream, since: unknown) {
  const plan = await database.planChunks(stream, { ...planRequest(1 << 20), since });
  const ids: number[] = [];
  let boundary: unknown;
  for await (const item of database.readChunk(chunkRequest(stream, plan, { since }))) {
    if ('boundary' in item) ({ boundary } = item);
    else if ('rows' in item) for (const row of tableOf(item)) ids.push(Number(row.toJSON()['id']));
  }
  return { ids: ids.toSorted((a, b) => a - b), boundary: structuredClone(boundary) };
}
