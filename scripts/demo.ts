import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Lake, openLake } from './demo/lake.ts';
import { QUESTIONS } from './demo/questions.ts';
import { aside, heading, say, table, withThousands } from './demo/screen.ts';
import { openShop, type Shop, SHOP_TABLES } from './demo/shop.ts';
import { fingerprint, sync, writePipeline } from './demo/sync.ts';

/** `npm run demo [FOLDER]`: a shop in PostgreSQL becomes Iceberg tables in FOLDER/warehouse, which DuckDB then queries. */
const startedAt = performance.now();
const output = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '../demo-output'));
const shown = path.relative(process.cwd(), output) || '.';
const warehouse = path.join(output, 'warehouse');
const tables = path.join(warehouse, 'shop');
const pipeline = path.join(output, 'pipeline.yaml');

await mkdir(output, { recursive: true });
const shop = await openShop(output);
await using _server = shop.server;
await describeShop(shop);

say(heading(`\n2  fjord sync ${path.join(shown, 'pipeline.yaml')}\n`));
const before = await fingerprint(tables);
await writePipeline(pipeline, shop.server);
const seconds = await sync(pipeline, shop.server.password);
const after = await fingerprint(tables);

using lake = await openLake(warehouse, 'shop');
say(heading('\n3  The Iceberg tables, queried with DuckDB'));
say(
  aside(
    `   ${lake.reader === 'extension' ? 'by its iceberg extension' : 'its iceberg extension cannot be had here: from the files of our own scan'}`,
  ),
);
for (const { title, sql, head } of QUESTIONS) say(`\n   ${title}\n${table(head, await lake.query(sql))}`);
await compareCounts(shop, lake);
sayHowItWent();
sayHowToGoOn();
await shop.server.stop();

async function describeShop({ version, rows, isNew }: Shop): Promise<void> {
  const total = [...rows.values()].reduce((sum, count) => sum + count, 0);
  // A warehouse of another shop is of no use to this one.
  if (isNew)
    await Promise.all(
      [warehouse, path.join(output, '.fjord')].map((folder) => rm(folder, { recursive: true, force: true })),
    );
  say(heading(`1  PostgreSQL ${version} with a small shop`));
  say(
    `   ${rows.size} tables, ${withThousands(String(total))} rows, ${isNew ? 'just made' : 'the one of the last run'}: money, time zones, uuids,`,
  );
  say('   JSON, arrays, enums, a table in 12 partitions, a table without a key');
}

async function compareCounts({ rows }: Shop, { query }: Lake): Promise<void> {
  const lines: string[][] = [];
  for (const name of SHOP_TABLES) {
    const [[found = ''] = []] = await query(`SELECT count(*) FROM ${name}`);
    const expected = String(rows.get(name));
    if (found !== expected) throw new Error(`${name} has ${expected} rows in PostgreSQL and ${found} in Iceberg.`);
    lines.push([name, expected, found, '✓ equal']);
  }
  say(`\n   Rows in both\n${table(['table', 'PostgreSQL #', 'Iceberg #', ''], lines)}`);
}

function sayHowItWent(): void {
  const total = [...shop.rows.values()].reduce((sum, count) => sum + count, 0);
  const everything = `everything ${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  say();
  if (before.files === 0) {
    const speed = withThousands(String(Math.round(total / seconds)));
    say(`   The sync took ${seconds.toFixed(1)} s, ${speed} rows/s from start to end; ${everything}.`);
    say(`   Run the demo again: there is nothing new, so nothing is copied.`);
  } else if (before.text === after.text) {
    say(`   0 rows, nothing to do: none of the ${after.files} files and folders of the tables`);
    say(`   was changed, metadata included. The sync took ${seconds.toFixed(1)} s; ${everything}.`);
  } else {
    say(`   The sync went on from an earlier run and took ${seconds.toFixed(1)} s; ${everything}.`);
  }
}

function sayHowToGoOn(): void {
  say(heading('\n4  Look at it, and go on with your own database'));
  say(`
   ${path.join(shown, 'pipeline.yaml')}   what was copied, and where to
   ${path.join(shown, 'warehouse/shop')}  each table: Parquet in data, Iceberg in metadata

   pnpm="npx -y pnpm@12.21.0 --silent"
   export PGPASSWORD=...
   $pnpm fjord init --host db.example.com --database shop --user fjord \\
     --warehouse ./warehouse                # writes pipeline.yaml
   $pnpm fjord check                        # all that is missing, with its fix
   $pnpm fjord sync`);
}
