import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres, startTcpProxy, temporaryFolder } from '../../src/index.ts';
import { parseLines, Pipeline } from './pipeline.ts';

const CHANGES = {
  dropped: 'DROP TABLE dropped',
  grown: 'ALTER TABLE grown ADD COLUMN more int DEFAULT 7',
  retyped: 'ALTER TABLE retyped ALTER COLUMN v TYPE text',
};
const TABLES = [...Object.keys(CHANGES), 'same'];

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

test.each(['chunk', 'snapshot'] as const)(
  'in %s consistency a table dropped, grown or retyped between its own chunks concerns its stream alone',
  async (consistency) => {
    for (const name of TABLES) {
      await postgres.query(`DROP TABLE IF EXISTS ${name}`);
      await postgres.query(
        `CREATE TABLE ${name} AS SELECT n AS id, n AS v, repeat('x', 200) AS pad FROM generate_series(1, 20000) n`,
      );
    }
    await using folder = await temporaryFolder('fjord-altered');
    await using proxy = await startTcpProxy(postgres);
    const asked: string[] = [];
    const changes: Promise<unknown>[] = [];
    proxy.onSent = (piece) => {
      const name = piece.includes('COPY (') && TABLES.find((table) => piece.includes(table));
      if (!name) return;
      asked.push(name);
      const change = Object.entries(CHANGES).find(([table]) => table === name)?.[1];
      // It waits for the statement under way, and the next chunk for it.
      if (change !== undefined && asked.filter((table) => table === name).length === 2)
        changes.push(postgres.query(change));
    };
    const source = { port: proxy.port, consistency, parallel: 1, chunkMB: 0.5 };
    const sync = new Pipeline(folder.path, postgres, { source }).start();
    sync.stdout.resume();
    let log = '';
    sync.stderr.on('data', (data: Buffer) => (log += data.toString()));
    const ended = once(sync, 'close');
    await ended;
    await Promise.all(changes);
    expect(changes).toHaveLength(3);
    expect(sync.exitCode, log).toBe(5);
    const errors = parseLines(log).filter(({ type }) => type === 'ERROR');
    const messageOf = (name: string) => errors.find(({ stream }) => stream === `public.${name}`)?.['message'];
    expect(messageOf('dropped')).toBe('Table public.dropped does not exist.');
    expect(messageOf('retyped')).toBe('Table public.retyped was rewritten, replaced or altered since it was planned.');
    for (const name of ['grown', 'same']) {
      expect(messageOf(name)).toBeUndefined();
      const pipeline = new Pipeline(folder.path, postgres);
      const expected = await pipeline.expected(`SELECT id, v, pad FROM ${name}`);
      expect((await pipeline.read('duckdb', name)).rows, name).toEqual(expected.rows);
    }
  },
);
