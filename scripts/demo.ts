import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { type Lake, openLake } from './demo/lake.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const OUTPUT = path.join(ROOT, 'demo-output');
const WAREHOUSE = path.join(OUTPUT, 'warehouse');
/** The cluster is kept for the next run, where the server's own user can reach it: below a home folder it may not. */
const CLUSTER = `/var/tmp/fjord-demo-${Buffer.from(ROOT).toString('base64url').slice(-40)}`;
const TABLES = ['customers', 'products', 'orders', 'payments', 'page_views'];

const QUESTIONS: [title: string, sql: string, head: string[]][] = [
  [
    'Revenue by quarter (a partitioned table, numeric money, time zones)',
    `SELECT year(ordered_at) || ' Q' || quarter(ordered_at) AS q, count(*), sum(total) FROM orders WHERE status = 'paid' GROUP BY q ORDER BY q`,
    ['quarter', 'orders', 'revenue'],
  ],
  [
    'Products by tag (arrays, enums)',
    'SELECT tag, kind, count(*), min(price) FROM (SELECT unnest(tags) AS tag, kind, price FROM products) GROUP BY ALL ORDER BY count(*) DESC, tag, kind LIMIT 4',
    ['tag', 'kind', 'products', 'cheapest'],
  ],
  [
    'Best customers (a join over Iceberg tables)',
    'SELECT name, country, count(*), sum(total) AS spent FROM orders JOIN customers ON customers.id = customer_id GROUP BY customers.id, name, country ORDER BY spent DESC, customers.id LIMIT 3',
    ['name', 'country', 'orders', 'spent'],
  ],
];

const say = (text: string) => process.stdout.write(`${text}\n`);

await mkdir(CLUSTER, { recursive: true });
await chmod(CLUSTER, 0o755);
say('1. An embedded PostgreSQL with a small shop');
await using server = await startPostgres({ folder: CLUSTER, databases: ['shop'] });
await fillShop(server);
const pipeline = await writePipeline(server);
say(`2. fjord sync ${path.relative(ROOT, pipeline)}\n`);
const seconds = await timed(() => sync(pipeline, server.password));
const lake = await openLake(WAREHOUSE, 'public');
say(`\n3. The Iceberg tables, read by ${lake.reader}`);
for (const [title, sql, head] of QUESTIONS) say(`\n   ${title}\n${indent(table(head, await lake.query(sql)))}`);
say(`\n   Rows in PostgreSQL and in Iceberg\n${indent(await compareCounts(server, lake))}`);
say(`
The sync took ${seconds.toFixed(1)} s. Look at the files in demo-output/warehouse.
Run the demo again: nothing is new, so nothing changes.

With your own database:
  npm run --silent fjord -- init --host HOST --database NAME --user NAME \\
    --password '\${env:PGPASSWORD}' --warehouse ./warehouse
  npm run --silent fjord -- check && npm run --silent fjord -- sync`);

async function fillShop(shop: PostgresServer): Promise<void> {
  const [{ filled } = { filled: false }] = await shop.query<{ filled: boolean }>(
    "SELECT to_regclass('page_views') IS NOT NULL AS filled",
  );
  if (filled) say('   (the one of the last run)');
  else await shop.query(await readFile(path.join(import.meta.dirname, 'demo/shop.sql'), 'utf8'));
}

async function writePipeline({ host, port, user }: PostgresServer): Promise<string> {
  await mkdir(OUTPUT, { recursive: true });
  const file = path.join(OUTPUT, 'pipeline.yaml');
  await writeFile(
    file,
    `id: demo-shop
source:
  connector: postgres
  config:
    host: ${host}
    port: ${port}
    database: shop
    user: ${user}
    password: \${env:SHOP_PASSWORD}
    tls: { mode: disable } # over loopback only
destination:
  connector: iceberg
  config: { warehouse: ${JSON.stringify(WAREHOUSE)} }
streams:
  - match: public.*
`,
  );
  return file;
}

async function sync(file: string, password: string): Promise<void> {
  const cli = path.join(ROOT, 'packages/cli/src/bin.ts');
  const quiet = process.stderr.isTTY ? 'inherit' : 'ignore';
  const env = { ...process.env, SHOP_PASSWORD: password };
  const child = spawn(process.execPath, [cli, 'sync', file], { stdio: ['ignore', 'inherit', quiet], env });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`fjord sync ended with exit code ${String(code)}`);
}

async function compareCounts(shop: PostgresServer, tables: Lake): Promise<string> {
  const rows: string[][] = [];
  for (const name of TABLES) {
    const [{ count } = { count: '' }] = await shop.query<{ count: string }>(
      `SELECT count(*)::text AS count FROM ${name}`,
    );
    const [[found] = ['']] = await tables.query(`SELECT count(*)::text FROM ${name}`);
    if (found !== count) throw new Error(`${name} has ${count} rows in PostgreSQL and ${found} in Iceberg`);
    rows.push([name, count, found, 'equal']);
  }
  return table(['table', 'PostgreSQL', 'Iceberg', ''], rows);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '   ');
}
