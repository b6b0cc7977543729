import { openSqlCatalog } from '@fjord/iceberg';
import { type PostgresServer, readWithDuckDB, temporaryFolder } from '@fjord/test-harness';
import { startWithTable } from './cluster.ts';
import { openInstalled } from './installed.ts';
import { writePipeline } from './load.ts';
import { measureSync, type SyncFigures } from './measure-sync.ts';
import type { Options } from './options.ts';
import { openTarget } from './target.ts';

const LOGICAL = { wal_level: 'logical', max_wal_senders: '10', max_replication_slots: '10' };

/** A table `trips_cdc`, copied from the first trips, whose changes each sync brings to a table on local disk. */
export interface FollowedCopy extends AsyncDisposable {
  server: PostgresServer;
  /** Runs `fjord sync` to the head of the log. */
  sync(): Promise<SyncFigures>;
  /** What DuckDB answers; `lake` is the table. */
  ask(sql: string): Promise<string[]>;
  /** Throws if counts and sums differ between PostgreSQL and the table. */
  mustBeEqual(): Promise<void>;
}

/** Makes the table of so many trips; nothing is synced yet. */
export async function openFollowedCopy(options: Options, copied: number): Promise<FollowedCopy> {
  const installed = options.checkout ? undefined : await openInstalled();
  const folder = await temporaryFolder('fjord-changes');
  const server = await startWithTable('trips', options.rows, LOGICAL);
  await makeCopy(server, copied);
  const target = await openTarget(options, folder.path);
  const environment = { BENCH_PASSWORD: server.password };
  const nothing = () => Promise.resolve();
  const source = { connector: 'postgres', config: configOf(server) };
  const origin = { source, environment, stream: 'public.trips_cdc', rows: copied, [Symbol.asyncDispose]: nothing };
  const file = await writePipeline(folder.path, origin, target, { syncMode: 'changes' });
  const ask = async (sql: string) => {
    const found = await readWithDuckDB({ metadataLocation: await findTable(`${folder.path}/warehouse`), sql });
    return (found.rows[0] ?? []).map(String);
  };
  return {
    server,
    ask,
    async sync() {
      await using usage = await temporaryFolder('fjord-sync');
      const program = installed === undefined ? {} : { installed };
      return await measureSync(file, { ...options, ...program, folder: usage.path, environment });
    },
    async mustBeEqual() {
      const [wanted] = await server.query<Record<string, unknown>>(`SELECT ${SUMS} FROM trips_cdc`);
      const [expected, actual] = [Object.values(wanted ?? {}).map(String), await ask(`SELECT ${SUMS} FROM lake`)];
      if (JSON.stringify(expected) === JSON.stringify(actual)) return;
      throw new Error(`PostgreSQL has ${expected.join(', ')}, the table ${actual.join(', ')} (${SUMS}).`);
    },
    async [Symbol.asyncDispose]() {
      await dropSlots(server);
      // The cluster is kept for other benchmarks.
      await server.query('DROP TABLE trips_cdc');
      await server.stop('fast');
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The server's version, as it says it. */
export async function versionOf(server: PostgresServer): Promise<string> {
  const [found] = await server.query<{ version: string }>("SELECT current_setting('server_version') AS version");
  return found?.version ?? '';
}

function configOf({ host, port, user, database }: PostgresServer) {
  return { host, port, user, database, password: '${env:BENCH_PASSWORD}', tls: { mode: 'disable' } };
}

async function makeCopy(server: PostgresServer, copied: number): Promise<void> {
  await dropSlots(server);
  await server.query('DROP TABLE IF EXISTS trips_cdc');
  await server.query('CREATE TABLE trips_cdc (LIKE trips INCLUDING ALL)');
  await server.query(`INSERT INTO trips_cdc SELECT * FROM trips WHERE id <= ${copied}`);
  await server.query('VACUUM (ANALYZE, FREEZE) trips_cdc');
}

/** Slots of an earlier run would keep the log, its publications name tables that are gone. */
async function dropSlots(server: PostgresServer): Promise<void> {
  await server.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active');
  const publications = await server.query<{ name: string }>('SELECT quote_ident(pubname) AS name FROM pg_publication');
  for (const { name } of publications) await server.query(`DROP PUBLICATION ${name}`);
}

const SUMS =
  'count(*) AS rows, sum(id) AS ids, sum(CAST(round(tip_amount * 100) AS bigint)) AS tips, count(note) AS notes, count(passenger_count) AS passengers, sum(total_amount) AS totals';

async function findTable(warehouse: string): Promise<string> {
  await using catalog = await openSqlCatalog({ uri: `sqlite:///${warehouse}/catalog.db`, warehouse, name: 'fjord' });
  const table = await catalog.loadTable({ namespace: ['public'], name: 'trips_cdc' });
  if (!table) throw new Error('The sync has made no table.');
  return table.metadataLocation;
}
