import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type PostgresServer, startPostgres, temporaryFolder, type TemporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runFjord, steady } from './screens.ts';

const WIDTHS = [80, undefined];

let folder: TemporaryFolder;
let server: PostgresServer;

beforeAll(async () => {
  [folder, server] = await Promise.all([temporaryFolder('fjord-operator'), startPostgres({ databases: ['shop'] })]);
  await server.query(`
    CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, city text);
    CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, total numeric(12, 2), placed_at timestamptz, tags text[], note text);
    CREATE TABLE secrets (id int PRIMARY KEY);
    INSERT INTO customers SELECT n, 'Customer ' || n, CASE n % 2 WHEN 0 THEN 'Oslo' END FROM generate_series(1, 50) n;
    INSERT INTO orders SELECT n, n % 50 + 1, n * 1.25, '2025-06-01'::timestamptz + n * interval '1 hour', ARRAY['a', 'b'],
      repeat('a long note ', 5) FROM generate_series(1, 2000) n;
    CREATE ROLE clerk LOGIN PASSWORD 'clerk';
    GRANT SELECT ON customers TO clerk;
    ANALYZE`);
  pipeline('shop.yaml', {});
  pipeline('broken.yaml', {
    source: { user: 'clerk', password: 'clerk' },
    destination: { warehouse: './shop.yaml/lake' },
    streams: [{ match: ['public.customers', 'public.orders'], syncMode: 'changes' }],
  });
  pipeline('wrong.yaml', { source: { password: '${env:NOT_SET}' }, destination: { targetFileMB: -1 } });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

type Parts = { source?: object; destination?: object; streams?: object[] };

/** Writes a pipeline file; YAML is a superset of JSON. */
function pipeline(file: string, { source, destination, streams }: Parts): void {
  const { host, port, user, database } = server;
  const own = { host, port, user, database, password: '${env:SHOP_PASSWORD}', tls: { mode: 'disable' }, ...source };
  const definition = {
    id: path.basename(file, '.yaml'),
    source: { connector: 'postgres', config: own },
    destination: { connector: 'iceberg', config: { warehouse: './lake', ...destination } },
    streams: streams ?? [{ match: 'public.*', exclude: 'public.secrets', target: { namespace: 'lake' } }],
  };
  writeFileSync(path.join(folder.path, file), JSON.stringify(definition));
}

/** What a command shows, without what differs from run to run. */
async function screen(args: string[], width?: number): Promise<string> {
  const env = { SHOP_PASSWORD: server.password };
  const place = { cwd: folder.path, env, ...(width !== undefined && { width }) };
  const { stdout, stderr, exitCode } = await runFjord(args, place);
  const text = steady(`${stdout}${stderr}`, { [folder.path]: 'FOLDER', [String(server.port)]: 'PORT' });
  return `$ fjord ${args.join(' ')}\n${text}exit code ${exitCode}\n`;
}

/** All commands of a table on one screen, compared with the reviewed one. */
async function matchScreens(name: string, commands: string[][], width?: number): Promise<void> {
  const screens = await Promise.all(commands.map((args) => screen(args, width)));
  // How wide a column is, is seen where no times are in it: they differ from run to run.
  const shown = name === 'after' ? screens.map((text) => text.replaceAll(/ {2,}/g, '  ')) : screens;
  await expect(shown.join('\n')).toMatchFileSnapshot(`screens/${name}.${width ?? 'none'}.txt`);
}

describe.each(WIDTHS)('on a terminal of %s columns', (width) => {
  test('what comes before the first sync is shown', async () => {
    await matchScreens(
      'before',
      [
        ['doctor', 'shop.yaml'],
        ['discover', 'shop.yaml'],
        ['plan', 'shop.yaml'],
        ['preview', 'customers', 'shop.yaml', '--rows', '3'],
        ['preview', 'public.orders', 'shop.yaml', '--rows', '2'],
        ['preview', 'nothing', 'shop.yaml'],
        ['status', 'shop.yaml'],
        ['history', 'shop.yaml'],
      ],
      width,
    );
  });

  test('all that is missing on both sides is said at once', async () => {
    await matchScreens(
      'doctor',
      [
        ['doctor', 'broken.yaml'],
        ['doctor', 'wrong.yaml'],
        ['doctor', 'absent.yaml'],
      ],
      width,
    );
  });

  test('what comes after a sync is shown', async () => {
    const file = `after-${width}.yaml`;
    pipeline(file, { destination: { warehouse: `./lake-after-${width}` } });
    await screen(['sync', file]);
    await matchScreens(
      `after`,
      [
        ['status', file],
        ['plan', file],
        ['history', file],
        ['history', '1', file],
        ['logs', file],
      ],
      width,
    );
  });
});

test('a wide terminal shows what a narrow one has to cut or turn', async () => {
  const commands = [
    ['plan', 'shop.yaml'],
    ['preview', 'orders', 'shop.yaml', '--rows', '2'],
    ['doctor', 'wrong.yaml'],
  ];
  await matchScreens('wide', commands, 200);
});

test('with --json every command prints one JSON value, with nothing around it', async () => {
  const env = { SHOP_PASSWORD: server.password };
  const verbs = [
    ['doctor'],
    ['discover'],
    ['plan'],
    ['preview', 'customers'],
    ['status'],
    ['history'],
    ['check'],
    ['spec'],
  ];
  const results = await Promise.all(
    verbs.map((verb) => runFjord([...verb, 'shop.yaml', '--json'], { cwd: folder.path, env })),
  );
  for (const { stdout, stderr } of results) {
    expect(typeof JSON.parse(stdout)).toBe('object');
    expect(stderr).toBe('');
  }
});
