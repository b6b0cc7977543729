import { once } from 'node:events';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { PostgresServer, TcpProxy } from '../../src/index.ts';
import { killConnectors } from './kill-run.ts';
import { expectEqual, follow, makeTables, startFollowed, sync, writeBeside } from './followed-tables.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  ({ postgres, proxy } = await startFollowed());
});

test('tables are copied and then kept in step: inserts, updates, deletes, changes of keys, truncates, several tables at once', async () => {
  await postgres.query(`
    CREATE SCHEMA kept;
    CREATE TABLE kept.orders (id int PRIMARY KEY, customer text, total numeric(10,2), at timestamptz);
    CREATE TABLE kept.items (order_id int, line text, note text, PRIMARY KEY (order_id, line));
    CREATE TABLE kept.empty (id bigint PRIMARY KEY);
    INSERT INTO kept.orders SELECT g, 'c' || g, g / 7.0, '2024-01-01' FROM generate_series(1, 3000) g;
    INSERT INTO kept.items SELECT g, 'l' || g % 3, repeat('n', 50) FROM generate_series(1, 3000) g;`);
  const tables = ['orders', 'items', 'empty'];
  const pipeline = await follow('kept', { postgres, proxy });
  await sync(pipeline);
  await expectEqual(pipeline, 'kept', tables);
  await postgres.query(`
    BEGIN;
    UPDATE kept.orders SET total = total + 1 WHERE id % 10 = 0;
    DELETE FROM kept.items WHERE order_id % 11 = 0;
    INSERT INTO kept.empty SELECT generate_series(1, 100);
    UPDATE kept.orders SET id = id + 100000 WHERE id % 500 = 0;
    COMMIT;
    INSERT INTO kept.orders VALUES (-1, NULL, NULL, NULL), (-2, 'x', 0, 'infinity');
    UPDATE kept.items SET line = 'moved' WHERE order_id < 20;
    DELETE FROM kept.orders WHERE id = -1;
    INSERT INTO kept.orders VALUES (-1, 'again', 1, '2000-01-01');
    BEGIN; DELETE FROM kept.orders; ROLLBACK;`);
  await sync(pipeline);
  await expectEqual(pipeline, 'kept', tables);
  await postgres.query(
    `TRUNCATE kept.empty; INSERT INTO kept.empty VALUES (7), (8); DELETE FROM kept.empty WHERE id = 8`,
  );
  await sync(pipeline);
  await expectEqual(pipeline, 'kept', tables);
  const before = await pipeline.table('kept', 'orders');
  await sync(pipeline);
  expect((await pipeline.table('kept', 'orders')).metadataLocation).toBe(before.metadataLocation);
  await expectEqual(pipeline, 'kept', tables, ['pyiceberg']);
});

test('what is written while a table is copied reaches it, whatever moves where', async () => {
  await makeTables(postgres, 'beside');
  const pipeline = await follow('beside', { postgres, proxy });
  const writing = writeBeside(postgres, 'beside');
  await sync(pipeline);
  await writing.stop();
  await sync(pipeline);
  await expectEqual(pipeline, 'beside', ['a', 'b']);
});

test('a history keeps each change once, also of a table without a key, and begins with the rows of one moment', async () => {
  await postgres.query(`
    CREATE SCHEMA history;
    CREATE TABLE history.events (n int, text text);
    ALTER TABLE history.events REPLICA IDENTITY FULL;
    INSERT INTO history.events SELECT g, 'first' FROM generate_series(1, 2000) g;`);
  const pipeline = await follow(
    'history',
    { postgres, proxy },
    { writeMode: 'append', stream: { metadataColumns: true } },
  );
  const writing = (async () => {
    for (let n = 1; n <= 200; n++) await postgres.query(`INSERT INTO history.events VALUES (${n + 10_000}, 'beside')`);
  })();
  await sync(pipeline);
  await writing;
  await postgres.query(
    `UPDATE history.events SET text = 'changed' WHERE n = 1; DELETE FROM history.events WHERE n = 2`,
  );
  await sync(pipeline);
  const { columns, rows } = await pipeline.read('duckdb', 'events', 'history');
  const index = columns.findIndex(({ name }) => name === '_fjord_op');
  const count = (op: string, text: string) => rows.filter((row) => row[index] === op && row[1] === text).length;
  expect(count('r', 'first')).toBe(2000);
  expect(count('r', 'beside') + count('c', 'beside')).toBe(200);
  // Without a key an update is the end of one row and the beginning of another.
  expect([count('d', 'first'), count('c', 'changed')]).toEqual([2, 1]);
  expect(rows).toHaveLength(2000 + 200 + 3);
  expect(new Set(rows.map(([n]) => n)).size).toBe(2200);
});

test('a table added later joins while the others go on, and one that is copied anew keeps its old rows until then', async () => {
  await makeTables(postgres, 'joined');
  const pipeline = await follow('joined', { postgres, proxy });
  await sync(pipeline);
  await postgres.query(`
    CREATE TABLE joined.c (id int PRIMARY KEY, n int);
    INSERT INTO joined.c SELECT g, g FROM generate_series(1, 500) g;
    UPDATE joined.a SET n = -1 WHERE id < 100;`);
  await sync(pipeline);
  await expectEqual(pipeline, 'joined', ['a', 'b', 'c']);
  await postgres.query('UPDATE joined.c SET n = 0 WHERE id = 1; DELETE FROM joined.a WHERE id = 5');
  await sync(pipeline, '--backfill', 'joined.a');
  await expectEqual(pipeline, 'joined', ['a', 'b', 'c']);
  await postgres.query('DELETE FROM joined.a WHERE id = 6; UPDATE joined.a SET n = 9 WHERE id = 7');
  await sync(pipeline);
  await expectEqual(pipeline, 'joined', ['a', 'b', 'c']);
});

test('a table of which the log does not tell enough is given up and named with its fix; the others go on', async () => {
  await postgres.query(`
    CREATE SCHEMA untold;
    CREATE TABLE untold.a (id int PRIMARY KEY, n int);
    CREATE TABLE untold.b (LIKE untold.a INCLUDING ALL);
    CREATE TABLE untold.c (id int PRIMARY KEY, _op text);
    ALTER TABLE untold.b REPLICA IDENTITY NOTHING;
    INSERT INTO untold.a VALUES (1, 1), (2, 2);
    INSERT INTO untold.b VALUES (1, 1);`);
  const pipeline = await follow('untold', { postgres, proxy });
  const { exitCode, lines } = await pipeline.sync();
  expect(exitCode).toBe(5);
  const error = { type: 'ERROR', stream: 'untold.b', help: expect.stringContaining('REPLICA IDENTITY') };
  expect(lines).toContainEqual(expect.objectContaining(error));
  const reserved = {
    type: 'ERROR',
    stream: 'untold.c',
    message: expect.stringContaining('has "_op", which changes need'),
  };
  expect(lines).toContainEqual(expect.objectContaining(reserved));
  await expectEqual(pipeline, 'untold', ['a']);
  await postgres.query(`
    ALTER TABLE untold.b REPLICA IDENTITY DEFAULT; ALTER TABLE untold.c RENAME _op TO op; INSERT INTO untold.c VALUES (1, 'x');
    DELETE FROM untold.a WHERE id = 1`);
  await sync(pipeline);
  await expectEqual(pipeline, 'untold', ['a', 'b', 'c']);
});

test('a pipeline that is removed leaves its tables, and nothing else in the database or the catalog', async () => {
  await postgres.query(`
    CREATE SCHEMA removed;
    CREATE TABLE removed.a (id int PRIMARY KEY, n int);
    INSERT INTO removed.a VALUES (1, 1), (2, 2);`);
  const pipeline = await follow('removed', { postgres, proxy });
  await sync(pipeline);
  const kept = `SELECT slot_name::text AS name FROM pg_replication_slots WHERE slot_name = 'fjord_removed'
    UNION ALL SELECT pubname::text FROM pg_publication WHERE pubname = 'fjord_removed'`;
  expect(await postgres.query(kept)).toHaveLength(2);
  const refused = await pipeline.run('remove');
  expect([refused.exitCode, await pipeline.hasTable('fjord', 'pipeline_removed')]).toEqual([2, true]);

  const { exitCode, lines, stderr } = await pipeline.run('remove', '--force');
  expect(exitCode, stderr).toBe(0);
  expect(lines.filter(({ type }) => type === 'REMOVED')).toEqual([
    { type: 'REMOVED', what: 'replication slot fjord_removed' },
    { type: 'REMOVED', what: 'publication fjord_removed' },
    { type: 'REMOVED', what: 'the state of removed.a in table removed.a' },
    { type: 'REMOVED', what: 'the marker fjord.pipeline_removed' },
  ]);
  expect(await postgres.query(kept)).toEqual([]);
  expect(await pipeline.hasTable('fjord', 'pipeline_removed')).toBe(false);
  const { properties } = (await pipeline.table('removed', 'a')).metadata;
  expect(Object.keys(properties).filter((name) => name.startsWith('fjord.state'))).toEqual([]);
  await expectEqual(pipeline, 'removed', ['a']);
  const again = await pipeline.run('remove', '--force');
  expect([again.exitCode, again.stdout]).toEqual([0, '']);
});

test('a sync that follows brings changes within seconds, through a lost connection and a restart, and ends when it is told to', async () => {
  await makeTables(postgres, 'followed');
  const pipeline = await follow('followed', { postgres, proxy }, { destination: { commitIntervalSeconds: 1 } });
  const running = pipeline.start('--follow');
  let stderr = '';
  running.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  running.stdout.resume();
  const ended = once(running, 'close');
  onTestFinished(() => void (running.exitCode ?? process.kill(-(running.pid ?? 0), 'SIGKILL')));
  const untilEqual = () =>
    expect
      .poll(
        async () => {
          const { rows } = await pipeline.read('duckdb', 'a', 'followed');
          return (
            rows.length > 0 &&
            JSON.stringify(rows) === JSON.stringify((await pipeline.expected('SELECT * FROM followed.a')).rows)
          );
        },
        { timeout: 60_000, interval: 500, message: stderr },
      )
      .toBe(true);
  await expect.poll(() => pipeline.hasTable('followed', 'a'), { timeout: 60_000 }).toBe(true);
  await untilEqual();
  await postgres.query('UPDATE followed.a SET n = 1 WHERE id < 50');
  await untilEqual();
  proxy.cut();
  await postgres.query('UPDATE followed.a SET n = 2 WHERE id < 60; DELETE FROM followed.a WHERE id = 61');
  await untilEqual();
  killConnectors(running.pid ?? 0, 'destination');
  await postgres.query('UPDATE followed.a SET n = 3 WHERE id < 70');
  await untilEqual();
  await postgres.stop('immediate');
  await postgres.start();
  await postgres.query('INSERT INTO followed.a VALUES (-7, 7, NULL)');
  await untilEqual();
  const begun = performance.now();
  process.kill(running.pid ?? 0, 'SIGTERM');
  await ended;
  expect(performance.now() - begun).toBeLessThan(11_000);
  expect(running.exitCode, stderr).toBe(143);
  await postgres.query('DELETE FROM followed.a WHERE id = 62');
  await sync(pipeline);
  await expectEqual(pipeline, 'followed', ['a', 'b']);
});

test('filters and transforms hold for changes as for copied rows', async () => {
  await postgres.query(`
    CREATE SCHEMA shaped;
    CREATE TABLE shaped.people (id int PRIMARY KEY, country text, name text, story text);
    ALTER TABLE shaped.people ALTER story SET STORAGE EXTERNAL;
    INSERT INTO shaped.people SELECT g, CASE g % 2 WHEN 0 THEN 'DE' ELSE 'FR' END, 'n' || g, repeat('s', 3000) FROM generate_series(1, 200) g;`);
  const columns = { rename: { id: 'person' }, transform: { name: { compute: 'upper(name)' } } };
  const filter = { column: 'country', in: ['DE'] };
  const pipeline = await follow('shaped', { postgres, proxy }, { stream: { filter, columns } });
  const expectShaped = async () => {
    const { rows } = await pipeline.expected(
      `SELECT id AS person, country, upper(name) AS name, story FROM shaped.people WHERE country = 'DE'`,
    );
    expect((await pipeline.read('duckdb', 'people', 'shaped')).rows).toEqual(rows);
  };
  await sync(pipeline);
  await expectShaped();
  await postgres.query(`
    UPDATE shaped.people SET country = 'FR' WHERE id = 2;
    UPDATE shaped.people SET country = 'DE' WHERE id IN (1, 3);
    UPDATE shaped.people SET name = 'changed' WHERE id IN (3, 4, 5);
    DELETE FROM shaped.people WHERE id IN (6, 7);
    INSERT INTO shaped.people VALUES (1001, 'DE', 'new', NULL), (1002, 'FR', 'never', NULL);
    UPDATE shaped.people SET id = 2000 WHERE id = 8`);
  await sync(pipeline);
  await expectShaped();
});
