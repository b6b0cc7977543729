import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import {
  copyCluster,
  type PostgresServer,
  startPostgres,
  startPostgresStandby,
  type TcpProxy,
} from '../../src/index.ts';
import { expectEqual, follow, makeSmallTables, startFollowed, startSync, sync, untilEqual } from './followed-tables.ts';
import type { Pipeline } from './pipeline.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  ({ postgres, proxy } = await startFollowed());
});

/** A sync names the streams whose history is gone, each with why and the command that copies it anew, and follows the others. */
async function expectLost(pipeline: Pipeline, streams: string[], why: RegExp): Promise<void> {
  const { exitCode, lines, stderr } = await pipeline.sync();
  expect(exitCode, stderr).toBe(5);
  const errors = lines.filter(({ type, code }) => type === 'ERROR' && code === 'position_lost');
  expect(errors.map(({ stream }) => String(stream)).toSorted(), stderr).toEqual(streams);
  for (const { stream, message, help } of errors) {
    expect(message).toMatch(why);
    expect(help).toContain(`fjord sync --backfill ${String(stream)}`);
  }
}

/** The command that was named brings the tables back to what the database has, and they follow again. */
async function expectCured(pipeline: Pipeline, schema: string, streams: string[]): Promise<void> {
  await sync(pipeline, ...streams.flatMap((stream) => ['--backfill', stream]));
  await expectEqual(pipeline, schema, ['a', 'b']);
  await pipeline.postgres.query(
    `UPDATE ${schema}.a SET n = -n WHERE id % 7 = 0; DELETE FROM ${schema}.b WHERE id % 9 = 0`,
  );
  await sync(pipeline);
  await expectEqual(pipeline, schema, ['a', 'b']);
}

/** What a lost history loses. */
async function change(server: PostgresServer, schema: string): Promise<void> {
  await server.query(`
    UPDATE ${schema}.a SET n = n + 1000 WHERE id < 100; DELETE FROM ${schema}.a WHERE id BETWEEN 200 AND 210;
    INSERT INTO ${schema}.b VALUES (1000, 1); UPDATE ${schema}.b SET id = -id WHERE id < 10`);
}

test('a slot that was dropped: all streams are named, and copied anew', async () => {
  await makeSmallTables(postgres, 'unslotted');
  const pipeline = await follow('unslotted', { postgres, proxy });
  await sync(pipeline);
  await postgres.query(`SELECT pg_drop_replication_slot('fjord_unslotted')`);
  await change(postgres, 'unslotted');
  await expectLost(pipeline, ['unslotted.a', 'unslotted.b'], /slot "fjord_unslotted" .* made anew or moved/);
  await expectCured(pipeline, 'unslotted', ['unslotted.a', 'unslotted.b']);
});

test('a publication that lost a table between two syncs: that stream is named, the other follows', async () => {
  await makeSmallTables(postgres, 'unlisted');
  const pipeline = await follow('unlisted', { postgres, proxy });
  await sync(pipeline);
  await postgres.query('ALTER PUBLICATION fjord_unlisted DROP TABLE unlisted.a');
  await change(postgres, 'unlisted');
  await expectLost(pipeline, ['unlisted.a'], /taken out of the publication/);
  await expectEqual(pipeline, 'unlisted', ['b']);
  await expectCured(pipeline, 'unlisted', ['unlisted.a']);
});

test.each([
  { schema: 'altered', sql: 'ALTER PUBLICATION fjord_altered DROP TABLE altered.a', lost: ['altered.a'] },
  { schema: 'dropped', sql: 'DROP PUBLICATION fjord_dropped', lost: ['dropped.a', 'dropped.b'] },
])(
  'a sync that follows ends when its publication is $schema, and names what it misses',
  async ({ schema, sql, lost }) => {
    await makeSmallTables(postgres, schema);
    const pipeline = await follow(schema, { postgres, proxy });
    const running = startSync(pipeline, '--follow');
    await untilEqual(pipeline, running, [schema, 'a']);
    await postgres.query(sql);
    await change(postgres, schema);
    await running.ended;
    expect(running.child.exitCode, running.stderr).toBe(4);
    for (const stream of lost) expect(running.stderr).toMatch(new RegExp(`"position_lost"[^\\n]*${stream}`));
    await expectLost(pipeline, lost, /taken out of the publication/);
    await expectCured(pipeline, schema, lost);
  },
);

test('a log that the server has recycled: all streams are named, and copied anew', async () => {
  const keep = { max_slot_wal_keep_size: '32MB', min_wal_size: '32MB', max_wal_size: '64MB' };
  await using server = await startPostgres({ settings: keep });
  await makeSmallTables(server, 'recycled');
  const pipeline = await follow('recycled', { postgres: server, proxy: server });
  await sync(pipeline);
  await change(server, 'recycled');
  await server.query('CREATE TABLE filler (pad text)');
  for (let round = 0; round < 6; round++) {
    await server.query(`INSERT INTO filler SELECT repeat(md5(n::text), 60) FROM generate_series(1, 8000) AS n`);
    await server.query('SELECT pg_switch_wal()');
    await server.query('CHECKPOINT');
  }
  await expectLost(pipeline, ['recycled.a', 'recycled.b'], /made anew \(wal_removed\)/);
  await expectCured(pipeline, 'recycled', ['recycled.a', 'recycled.b']);
});

test('a database restored from an older backup: all streams are named, and copied anew', async () => {
  await using server = await startPostgres();
  await using backup = await startPostgres();
  await makeSmallTables(server, 'restored');
  const pipeline = await follow('restored', { postgres: server, proxy: server });
  await sync(pipeline);
  await Promise.all([server.stop(), backup.stop()]);
  await copyCluster(server, backup);
  await server.start();
  await change(server, 'restored');
  await server.query(`CREATE TABLE filler AS SELECT repeat(md5(n::text), 60) FROM generate_series(1, 4000) AS n`);
  await sync(pipeline);
  await server.stop();
  await copyCluster(backup, server);
  await server.start();
  await server.query('UPDATE restored.b SET n = -5 WHERE id < 5');
  await expectLost(pipeline, ['restored.a', 'restored.b'], /restored to an older state/);
  await expectCured(pipeline, 'restored', ['restored.a', 'restored.b']);
});

test('a standby promoted behind the tables: all streams are named, and copied anew', async () => {
  await using primary = await startPostgres({ major: 15 });
  await makeSmallTables(primary, 'behind');
  await using standby = await startPostgresStandby(primary);
  const pipeline = await follow('behind', { postgres: primary, proxy: primary });
  await sync(pipeline);
  await standby.stop();
  await change(primary, 'behind');
  await sync(pipeline);
  await primary.stop('immediate');
  await standby.start();
  await standby.query('SELECT pg_promote()');
  await standby.query('UPDATE behind.b SET n = -5 WHERE id < 5');
  const moved = await movedTo(pipeline, standby);
  await expectLost(moved, ['behind.a', 'behind.b'], /never had .* on timeline 1/);
  await expectCured(moved, 'behind', ['behind.a', 'behind.b']);
});

/** The same pipeline, in the same folder, from another server. */
async function movedTo(pipeline: Pipeline, server: PostgresServer): Promise<Pipeline> {
  const text = await pipeline.readDefinition();
  await writeFile(pipeline.file, text.replace(/"port":\d+/, `"port":${server.port}`));
  return pipeline.from(server);
}

test('a stream that leaves the pipeline leaves its publication, and is named with its command when it comes back', async () => {
  await makeSmallTables(postgres, 'leaving');
  const pipeline = await follow('leaving', { postgres, proxy });
  await sync(pipeline);
  const whole = await readFile(pipeline.file, 'utf8');
  await writeFile(pipeline.file, whole.replace('"leaving.*"', '"leaving.a"'));
  const { exitCode, lines, stderr } = await pipeline.sync();
  expect(exitCode, stderr).toBe(0);
  const said = { type: 'LOG', level: 'warn', fields: { stream: 'leaving.b' } };
  expect(lines).toContainEqual(
    expect.objectContaining({ ...said, message: expect.stringContaining('left the pipeline') }),
  );
  const published = await postgres.query(
    `SELECT tablename::text FROM pg_publication_tables WHERE pubname = 'fjord_leaving'`,
  );
  expect(published).toEqual([{ tablename: 'a' }]);
  await change(postgres, 'leaving');
  await sync(pipeline);
  await expectEqual(pipeline, 'leaving', ['a']);
  expect((await pipeline.read('duckdb', 'b', 'leaving')).rows).toHaveLength(500);
  await writeFile(pipeline.file, whole);
  await expectLost(pipeline, ['leaving.b'], /missed|taken out of the publication/);
  await expectCured(pipeline, 'leaving', ['leaving.b']);
});

test('a slot of the user that is no slot for this is refused, with what to do', async () => {
  await makeSmallTables(postgres, 'given');
  await postgres.query(`SELECT pg_create_physical_replication_slot('given_slot')`);
  const pipeline = await follow('given', { postgres, proxy }, { source: { slot: 'given_slot' } });
  for (const verb of ['check', 'sync']) {
    const { exitCode, stdout, stderr } = await pipeline.run(verb);
    expect([verb, exitCode]).toEqual([verb, 2]);
    expect(stdout + stderr).toMatch(/slot \\?"given_slot\\?" is another's/);
    expect(stdout + stderr).toContain(`pg_drop_replication_slot('given_slot')`);
  }
  await postgres.query(`SELECT pg_drop_replication_slot('given_slot')`);
  await sync(pipeline);
  await expectEqual(pipeline, 'given', ['a', 'b']);
});
