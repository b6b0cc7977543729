import { ConnectorError } from '@fjord/core';
import { findMySQLProblem, type SqlServer, startMariaDB, startMySQL } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkRequest, execute, openDatabase, planRequest, queryText, readRows, selectNamed } from './mysql-fixture.ts';

const SERVERS: [name: string, start: () => Promise<SqlServer>, problem: string | undefined][] = [
  ['MariaDB', () => startMariaDB('cut'), undefined],
  ['MySQL', () => startMySQL(), findMySQLProblem()],
];

/** Numbers from 1 to 4096 as a table. */
const NUMBERS = [
  'CREATE DATABASE IF NOT EXISTS cut',
  'CREATE TABLE cut.numbers (n int PRIMARY KEY)',
  'INSERT INTO cut.numbers VALUES (1)',
  ...Array.from({ length: 12 }, (_, power) => `INSERT INTO cut.numbers SELECT n + ${2 ** power} FROM cut.numbers`),
];
const FILLER = "REPEAT('x', 200)";

/** Tables by their key; each has 4096 rows. `most`: no unit may have more rows, where there are 8 or more units. */
const KEYED: [name: string, columns: string, values: string, most: number][] = [
  ['even integers', 'k int PRIMARY KEY', 'n', 1100],
  ['gaps', 'k bigint PRIMARY KEY', 'IF(n < 2000, n, 9000000000000000000 + n)', 1100],
  ['negative and unsigned far apart', 'k bigint unsigned PRIMARY KEY', 'IF(n % 2, n, 18446744073709551615 - n)', 1100],
  [
    'text by a collation without case',
    'k varchar(40) COLLATE utf8mb4_general_ci PRIMARY KEY',
    "CONCAT(IF(n % 2, 'a', 'A'), HEX(n), 'é')",
    1400,
  ],
  ['text in another character set', 'k varchar(40) CHARACTER SET latin1 PRIMARY KEY', "CONCAT('ü', n)", 1400],
  ['bytes', 'k binary(16) PRIMARY KEY', 'LEFT(UNHEX(SHA2(n, 256)), 16)', 1400],
  ['decimals', 'k decimal(20,5) PRIMARY KEY', 'n / 7 - 100', 1400],
  ['times', 'k datetime(6) PRIMARY KEY', "'2024-01-01' + INTERVAL n * 12345 MICROSECOND", 1400],
  ['several columns, the first crowded', 'a int, k varchar(20), PRIMARY KEY (a, k)', 'n DIV 4000, CONCAT(n)', 1400],
  ['several columns, descending by the second', 'a int, k int, PRIMARY KEY (a, k)', 'n % 64, -n', 1100],
  ['a unique index that is not the primary key', 'k int NOT NULL, UNIQUE KEY (k)', '4096 - n', 1100],
];

describe.for(SERVERS)('%s', ([, start, problem]) => {
  const skip = problem !== undefined;
  let server: SqlServer;
  beforeAll(async () => {
    if (skip) return;
    server = await start();
    await execute(server, NUMBERS);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const makeTable = (name: string, columns: string, values: string) =>
    execute(server, [
      `CREATE TABLE ${name} (id int, filler varchar(400), ${columns})`,
      `INSERT INTO ${name} SELECT n, ${FILLER}, ${values} FROM cut.numbers`,
      `ANALYZE TABLE ${name}`,
    ]);

  const readUnits = async (name: string, unitBytes: number) => {
    await using database = openDatabase(server);
    const stream = await selectNamed(database, name);
    const plan = await database.planChunks(stream, planRequest(unitBytes));
    const units: number[][] = [];
    for (let unit = 0; unit < plan.units; unit++) {
      const rows = await readRows(database, chunkRequest(stream, plan, { units: [unit, unit + 1] }));
      units.push(rows.map(({ id }) => Number(id)));
    }
    return { units, plan };
  };

  const expectAllOnce = (ids: number[]) => {
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 4096 }, (_, index) => index + 1));
  };

  test.for(KEYED.map((table, index) => [index, ...table] as const))(
    'cuts evenly, and gives every row once: %s %s',
    { skip },
    async ([index, , columns, values, most]) => {
      const name = `cut.keyed${index}`;
      await makeTable(name, columns, values);
      const { units } = await readUnits(name, 100_000);
      expect(units.length).toBeGreaterThanOrEqual(6);
      expectAllOnce(units.flat());
      expect(Math.max(...units.map((ids) => ids.length))).toBeLessThan(most);
    },
  );

  test('cuts by the columns before one whose order is not that of its constants', { skip }, async () => {
    await makeTable(
      'cut.labelled',
      "a int, e enum('z','m','a'), PRIMARY KEY (a, e)",
      "n DIV 3, ELT(1 + n % 3, 'z', 'm', 'a')",
    );
    const { units, plan } = await readUnits('cut.labelled', 100_000);
    expect(plan.layout).toMatchObject({ key: { columns: [{ name: 'a' }] } });
    expect(units.length).toBeGreaterThanOrEqual(6);
    expectAllOnce(units.flat());
  });

  test.for([
    ['no key', 'k int'],
    ['a unique index with nulls', 'k int NULL, UNIQUE KEY (k)'],
    ['an index of prefixes', 'k varchar(100) NOT NULL, UNIQUE KEY (k(10))'],
    ['a key of labels alone', `k enum(${Array.from({ length: 4096 }, (_, n) => `'${n + 1}'`).join(',')}) PRIMARY KEY`],
  ])('reads a table with %s at one moment', { skip }, async ([what = '', columns = '']) => {
    const name = `cut.whole_${what.replaceAll(' ', '_')}`;
    await makeTable(name, columns, 'n');
    const { units, plan } = await readUnits(name, 10_000);
    expect(plan).toMatchObject({ units: 1, isWhole: true });
    expectAllOnce(units.flat());
  });

  test('reads partitions, invisible and generated columns', { skip }, async () => {
    await execute(server, [
      `CREATE TABLE cut.parted (id int, hidden int INVISIBLE DEFAULT 5, twice int AS (id * 2) STORED, thrice int AS (id * 3) VIRTUAL, PRIMARY KEY (id))
       PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (1000), PARTITION p1 VALUES LESS THAN MAXVALUE)`,
      'INSERT INTO cut.parted (id) SELECT n FROM cut.numbers',
      'ANALYZE TABLE cut.parted',
    ]);
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'cut.parted');
    const [found] = (await database.discover()).filter(({ stream: id }) => id === 'cut.parted');
    expect(found?.kind).toBe('partitioned table');
    const plan = await database.planChunks(stream, planRequest(20_000));
    expect(plan.units).toBeGreaterThan(2);
    const rows = await readRows(database, chunkRequest(stream, plan));
    expectAllOnce(rows.map(({ id }) => Number(id)));
    expect(rows.find(({ id }) => id === 7)).toEqual({ id: 7, hidden: 5, twice: 14, thrice: 21 });
  });

  test('gives every row once when units are cut into pieces', { skip }, async () => {
    await makeTable('cut.pieces', 'a int, k varchar(20), PRIMARY KEY (a, k)', 'n DIV 4000, CONCAT(n)');
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'cut.pieces');
    const plan = await database.planChunks(stream, planRequest(300_000));
    const rows = await readRows(database, chunkRequest(stream, plan, { pieces: 16 }));
    expectAllOnce(rows.map(({ id }) => Number(id)));
  });

  test('plans a table anew that was made anew, and says what is gone', { skip }, async () => {
    await makeTable('cut.remade', 'k int PRIMARY KEY', 'n');
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'cut.remade');
    const plan = await database.planChunks(stream, planRequest(100_000));
    await execute(server, [
      'ALTER TABLE cut.remade MODIFY filler int NULL'.replace('MODIFY filler int NULL', 'MODIFY id bigint'),
    ]);
    await expect(readRows(database, chunkRequest(stream, plan))).rejects.toMatchObject({ code: 'plan_outdated' });
    await execute(server, ['DROP TABLE cut.remade']);
    await expect(readRows(database, chunkRequest(stream, plan))).rejects.toMatchObject({
      code: 'source_object_missing',
    });
  });

  test('says that a statement took too long, and reads on with the same database', { skip }, async () => {
    await makeTable('cut.slow', 'k int PRIMARY KEY', 'n');
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'cut.slow');
    const plan = await database.planChunks(stream, planRequest(100_000));
    const slow = chunkRequest(stream, plan, { maxStatementSeconds: 0.001 });
    const error: unknown = await readRows(database, slow).catch((thrown: unknown) => thrown);
    if (error instanceof ConnectorError) expect(['statement_too_slow', 'source_busy']).toContain(error.code);
    expectAllOnce((await readRows(database, chunkRequest(stream, plan))).map(({ id }) => Number(id)));
  });

  test('leaves no transaction open when the consumer stops at a mark', { skip }, async () => {
    await makeTable('cut.stopped', 'k int PRIMARY KEY', 'n');
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'cut.stopped');
    const plan = await database.planChunks(stream, planRequest(100_000));
    for await (const item of database.readChunk(chunkRequest(stream, plan))) if ('reached' in item) break;
    await execute(server, ['SET SESSION lock_wait_timeout = 2', 'DROP TABLE cut.stopped']);
    expect(
      await queryText(server, "SELECT TABLE_NAME AS v FROM information_schema.TABLES WHERE TABLE_NAME = 'stopped'"),
    ).toEqual([]);
  });
});
