import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, startPostgresStandby } from '../../src/index.ts';
import { expectEqual, follow, makeSmallTables, startSync, sync, untilEqual } from './followed-tables.ts';
import type { Pipeline } from './pipeline.ts';

let primary: PostgresServer;
let standby: PostgresServer;

beforeAll(async () => {
  primary = await startPostgres();
  await primary.query(`SELECT pg_create_physical_replication_slot('standby')`);
  const settings = { primary_slot_name: 'standby', hot_standby_feedback: 'on', sync_replication_slots: 'on' };
  standby = await startPostgresStandby(primary, settings, 'copied');
});
afterAll(async () => {
  await standby?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

/** Resolves when the standby has replayed all that the primary has written so far. */
async function untilReplayed(): Promise<void> {
  const [row] = await primary.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  const isReplayed = async () => {
    const [here] = await standby.query<{ isReplayed: boolean }>(
      'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS "isReplayed"',
      [row?.lsn],
    );
    return here?.isReplayed;
  };
  await expect.poll(isReplayed, { timeout: 30_000 }).toBe(true);
}

/** A slot can be made on a standby once the primary has logged what is under way there; an idle one does that rarely. */
async function syncFromStandby(pipeline: Pipeline): Promise<void> {
  let isOver = false;
  const syncing = sync(pipeline).finally(() => (isOver = true));
  while (!isOver) await primary.query('SELECT pg_log_standby_snapshot()');
  await syncing;
}

test('a standby is followed as a primary is, once the primary publishes the tables', async () => {
  await makeSmallTables(primary, 'aside');
  await untilReplayed();
  const source = { port: standby.port, targetSession: 'standby' };
  const pipeline = await follow('aside', { postgres: primary, proxy: standby }, { source });
  const refused = await pipeline.run('check');
  expect(refused.exitCode, refused.stdout).toBe(2);
  const statement = /CREATE PUBLICATION [^;]*;/.exec(refused.stdout.replaceAll('\\"', '"'))?.[0] ?? '';
  expect(refused.stdout).toMatch(/[Oo]n the primary/);
  await primary.query(statement);
  await untilReplayed();
  await syncFromStandby(pipeline);
  await expectEqual(pipeline, 'aside', ['a', 'b']);
  await primary.query(`
    UPDATE aside.a SET n = -n WHERE id % 3 = 0; DELETE FROM aside.b WHERE id % 4 = 0; INSERT INTO aside.b VALUES (900, 9)`);
  await untilReplayed();
  await syncFromStandby(pipeline);
  await expectEqual(pipeline, 'aside', ['a', 'b'], ['duckdb', 'pyiceberg']);
});

test('a sync that follows survives the death of the primary, without a human: its slot was on the standby already', async () => {
  await makeSmallTables(primary, 'over');
  const { user, database } = primary;
  const uri = `postgresql://${user}@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/${database}?target_session_attrs=read-write&sslmode=disable`;
  const ours = { host: undefined, port: undefined, user: undefined, database: undefined, tls: undefined };
  const pipeline = await follow('over', { postgres: primary, proxy: primary }, { source: { ...ours, uri } });
  const running = startSync(pipeline, '--follow');
  await untilEqual(pipeline, running, ['over', 'a']);
  const [slot] = await primary.query(`SELECT failover FROM pg_replication_slots WHERE slot_name = 'fjord_over'`);
  expect(slot).toEqual({ failover: true });
  const isReady = async () => {
    const [found] = await standby.query<{ isReady: boolean }>(
      `SELECT synced AND NOT temporary AS "isReady" FROM pg_replication_slots WHERE slot_name = 'fjord_over'`,
    );
    return found?.isReady;
  };
  await expect.poll(isReady, { timeout: 60_000 }).toBe(true);
  await primary.query('UPDATE over.a SET n = -1 WHERE id < 50; DELETE FROM over.b WHERE id % 5 = 0');
  await untilReplayed();

  await primary.kill();
  await standby.query('SELECT pg_promote()');
  await standby.query('UPDATE over.a SET n = -2 WHERE id < 20; UPDATE over.b SET id = id + 5000 WHERE id > 480');
  const moved = pipeline.from(standby);
  await untilEqual(moved, running, ['over', 'a']);
  await untilEqual(moved, running, ['over', 'b']);
  running.child.kill('SIGTERM');
  await running.ended;
  expect(running.child.exitCode, running.stderr).toBe(143);
  await standby.query('DELETE FROM over.a WHERE id < 5');
  await sync(moved);
  await expectEqual(moved, 'over', ['a', 'b'], ['duckdb', 'pyiceberg']);
});
