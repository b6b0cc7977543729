import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runProcess, startPostgres, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';

const CLI = path.join(import.meta.dirname, '../src/bin.ts');
const GIGABYTE_PAGES = 2 ** 17;

test('init advises partitions as the source has them where it is large, and discover says the same', async () => {
  await using server = await startPostgres({ databases: ['shop'] });
  await using folder = await temporaryFolder('fjord-advice');
  await server.query(`
    CREATE TABLE events (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
    CREATE TABLE rest PARTITION OF events DEFAULT;
    CREATE TABLE small (id bigint, at date) PARTITION BY RANGE (at);
    CREATE TABLE small_1 PARTITION OF small FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
    UPDATE pg_class SET relpages = ${GIGABYTE_PAGES}, reltuples = 1e7 WHERE relname IN ('events_1', 'events_2')`);
  const flags = { host: server.host, port: String(server.port), database: 'shop', user: server.user, tls: 'disable' };
  const args = Object.entries({ ...flags, warehouse: './warehouse' }).flatMap(([name, value]) => [`--${name}`, value]);
  const run = (verb: string, ...more: string[]) =>
    runProcess(process.execPath, [CLI, verb, ...more], {
      cwd: folder.path,
      env: { ...process.env, PGPASSWORD: server.password },
    });
  const init = await run('init', ...args);
  expect(init.stdout).toContain(
    'public.events: partition month(at), since the source has about 31 days of at in a part.',
  );
  expect(init.stdout).not.toContain('public.small');
  const text = readFileSync(path.join(folder.path, 'pipeline.yaml'), 'utf8');
  expect(text).toMatch(/- match: "public\.events"\n[^-]*partition: \["month\(at\)"\]\n {2}- match: "public\.\*"/);
  const discovered = await run('discover');
  expect(discovered.stdout).toContain('advice: partition public.events by month(at)');
});
