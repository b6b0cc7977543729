import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';

export const SHOP_TABLES = ['customers', 'products', 'inventory', 'orders', 'order_items', 'payments', 'page_views'];

/** The demo's PostgreSQL with the shop in it; `isNew` if the shop was made just now and no earlier load can be of it. */
export type Shop = { server: PostgresServer; version: string; rows: Map<string, number>; isNew: boolean };

/** Starts the PostgreSQL that belongs to `output` (its data is kept there for the next run), and fills it unless the same shop is in it. */
export async function openShop(output: string): Promise<Shop> {
  const folder = clusterFolder(output);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  if ((await lstat(folder)).uid !== process.getuid?.())
    throw new Error(`${folder} belongs to another user: remove it.`);
  const server = await startPostgres({ folder, databases: ['shop'] });
  try {
    const isNew = await fill(server);
    const [{ version } = { version: '' }] = await server.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    );
    return { server, version, rows: await countRows(server), isNew };
  } catch (cause) {
    await server.stop();
    throw cause;
  }
}

/** Where the data of the PostgreSQL for `output` is. As root the server runs as another user, who may not look below a home folder, where checkouts tend to be. */
export function clusterFolder(output: string): string {
  if (process.getuid?.() !== 0) return path.join(output, 'postgres');
  return `/var/tmp/fjord-demo-${createHash('sha256').update(output).digest('hex').slice(0, 12)}`;
}

/** All in one transaction, so that a shop is there as a whole or not at all. Its comment tells which script made it. */
async function fill(server: PostgresServer): Promise<boolean> {
  const sql = await readFile(path.join(import.meta.dirname, 'shop.sql'), 'utf8');
  const mark = createHash('sha256').update(sql).digest('hex');
  const [{ found } = { found: null }] = await server.query<{ found: string | null }>(
    "SELECT obj_description('public'::regnamespace) AS found",
  );
  if (found === mark) return false;
  const empty = 'DROP SCHEMA public CASCADE; CREATE SCHEMA public';
  await server.query(`BEGIN; ${empty}; ${sql}; COMMENT ON SCHEMA public IS '${mark}'; COMMIT`);
  return true;
}

async function countRows(server: PostgresServer): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const table of SHOP_TABLES) {
    const [row] = await server.query<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ${table}`);
    counts.set(table, row?.rows ?? 0);
  }
  return counts;
}
