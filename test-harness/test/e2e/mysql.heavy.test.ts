import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openSqlCatalog } from '@fjord/iceberg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  findMySQLProblem,
  readWithDuckDB,
  runProcess,
  sortRows,
  type SqlServer,
  startMariaDB,
  startMySQL,
  type TemporaryFolder,
  temporaryFolder,
} from '../../src/index.ts';
import { execute, queryText } from '../../../packages/source-mysql/test/mysql-fixture.ts';

const CLI = path.resolve(import.meta.dirname, '../../../packages/cli/src/bin.ts');
/** More rows than one chunk of the smallest size holds. */
const ORDERS = 20_000;

const SERVERS: [name: string, start: () => Promise<SqlServer>, problem: string | undefined][] = [
  ['MariaDB', () => startMariaDB('shop', ['--default-time-zone=+05:30']), undefined],
  ['MySQL', () => startMySQL(['--default-time-zone=-08:00']), findMySQLProblem()],
];

describe.for(SERVERS)('%s', ([, start, problem]) => {
  let server: SqlServer;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    if (problem !== undefined) return;
    [server, folder] = await Promise.all([start(), temporaryFolder('fjord-mysql-e2e')]);
    await execute(server, [
      'CREATE DATABASE IF NOT EXISTS shop',
      'CREATE TABLE shop.orders (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, note varchar(40), paid decimal(12,4) NOT NULL, made timestamp(6) NOT NULL)',
      `INSERT INTO shop.orders (note, paid, made) VALUES ('first', 1.5, '2024-02-29 12:00:00.000001')`,
      ...Array.from(
        { length: 15 },
        () => 'INSERT INTO shop.orders (note, paid, made) SELECT note, paid + id, made FROM shop.orders',
      ),
      `DELETE FROM shop.orders ORDER BY id DESC LIMIT ${2 ** 15 - ORDERS}`,
      'CREATE VIEW shop.paid AS SELECT id, paid FROM shop.orders WHERE id <= 3',
      'CREATE TABLE shop.keyless (a int, b text CHARACTER SET latin1)',
      "INSERT INTO shop.keyless VALUES (1, 'é'), (1, 'é'), (NULL, NULL)",
      'ANALYZE TABLE shop.orders',
    ]);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  test('is copied into tables that DuckDB reads', { skip: problem !== undefined }, async () => {
    const pipeline = writePipeline(folder.path, server);
    const env = { SHOP_PASSWORD: server.password };
    const run = (verb: string) =>
      runProcess(process.execPath, [CLI, verb, pipeline, '--json'], { env, cwd: folder.path });
    expect(await run('check')).toMatchObject({ exitCode: 0 });
    const discovered = await run('discover');
    for (const name of ['orders', 'paid', 'keyless']) expect(discovered.stdout).toContain(`shop.${name}`);
    const synced = await run('sync');
    expect(synced.exitCode, synced.stderr).toBe(0);
    const one = 'SELECT made, paid, note FROM lake WHERE id = 1';
    const counts = 'SELECT count(*) AS n, count(DISTINCT id) AS ids, max(id) AS last, sum(paid) AS paid FROM lake';
    const [sum] = await queryText(server, 'SELECT CAST(SUM(paid) AS CHAR) AS v FROM shop.orders');
    const [last] = await queryText(server, 'SELECT CAST(MAX(id) AS CHAR) AS v FROM shop.orders');
    expect((await read(folder.path, 'orders', counts)).rows).toEqual([[String(ORDERS), String(ORDERS), last, sum]]);
    expect((await read(folder.path, 'orders', one)).rows).toEqual([['2024-02-29T12:00:00.000001Z', '1.5000', 'first']]);
    expect(sortRows((await read(folder.path, 'keyless')).rows)).toEqual(
      sortRows([
        ['1', 'é'],
        ['1', 'é'],
        [null, null],
      ]),
    );
    expect((await read(folder.path, 'paid')).rows).toHaveLength(3);
  });
});

function writePipeline(folder: string, { host, port, user }: SqlServer): string {
  const file = path.join(folder, 'pipeline.yaml');
  const password = '${env:SHOP_PASSWORD}';
  // YAML is a superset of JSON. Small chunks, so that there are many.
  const config = { host, port, user, password, tls: { mode: 'disable' }, schemas: ['shop'], chunkMB: 0.1 };
  const definition = {
    id: 'mysql',
    source: { connector: 'mysql', config },
    destination: { connector: 'iceberg', config: { warehouse: path.join(folder, 'lake') } },
    streams: [{ match: 'shop.*', writeMode: 'overwrite' }],
  };
  writeFileSync(file, JSON.stringify(definition));
  return file;
}

async function read(folder: string, name: string, sql?: string) {
  const lake = path.join(folder, 'lake');
  await using catalog = await openSqlCatalog({
    uri: `sqlite:///${lake}/catalog.db`,
    name: 'fjord',
    warehouse: `file://${lake}`,
  });
  const table = await catalog.loadTable({ namespace: ['shop'], name });
  if (!table) throw new Error(`there is no table shop.${name}`);
  return readWithDuckDB({ metadataLocation: table.metadataLocation, ...(sql !== undefined && { sql }) });
}
