import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openSqlCatalog } from '@fjord/iceberg';
import { type PostgresServer, readWithDuckDB, temporaryFolder } from '@fjord/test-harness';
import { startWithTable } from './cluster.ts';
import { openInstalled } from './installed.ts';
import { describeMachine, type Machine } from './machine.ts';
import { measureSync } from './measure-sync.ts';
import type { Options } from './options.ts';
import { writePipeline } from './load.ts';
import { openTarget } from './target.ts';

const COPIED = 1_000_000;
const MIXED = 1_300_000;
const INSERTED = 1_000_000;
const LOGICAL = { wal_level: 'logical', max_wal_senders: '10', max_replication_slots: '10' };

/** One catch-up: `floorChangesPerS` is how fast the server alone decodes these changes, read and thrown away within it. */
type CatchUp = {
  changes: number;
  changesPerS: number;
  floorChangesPerS: number;
  wallS: number;
  cpuS: number;
  cpuParts: { engine: number; source: number; destination: number };
  peakRssMB: number;
};

/** The JSON line of `changes`. */
export type ChangesResult = {
  name: 'changes';
  mixed: CatchUp;
  inserts: CatchUp;
  machine: Machine;
  date: string;
  options: Partial<Options>;
};

/**
 * Copies a million trips, changes them, and measures the sync that catches up: first 1.3 M inserts, updates and deletes in 100 transactions,
 * then a million inserts. After each the table must be what PostgreSQL has.
 */
export async function benchmarkChanges(options: Options): Promise<ChangesResult> {
  const installed = options.checkout ? undefined : await openInstalled();
  await using folder = await temporaryFolder('fjord-changes');
  await using server = await startWithTable('trips', options.rows, LOGICAL);
  await makeCopy(server);
  await using target = await openTarget(options, folder.path);
  const source = { connector: 'postgres', config: configOf(server) };
  const environment = { BENCH_PASSWORD: server.password };
  const origin = { source, environment, stream: 'public.trips_cdc', rows: COPIED };
  const file = await writePipeline(folder.path, { ...origin, [Symbol.asyncDispose]: () => Promise.resolve() }, target, {
    syncMode: 'changes',
  });
  const sync = async (name: string) => {
    await using usage = await temporaryFolder(`fjord-changes-${name}`);
    const program = installed === undefined ? {} : { installed };
    return await measureSync(file, { ...options, ...program, folder: usage.path, environment });
  };
  await sync('copy');
  const catchUp = async (changes: number, sql: string): Promise<CatchUp> => {
    await server.query(sql);
    const floorChangesPerS = changes / (await secondsToDecode(server));
    const { wallS, cpuS, cpuParts, peakRssMB } = await sync('catch-up');
    await mustBeEqual(server, path.join(folder.path, 'warehouse'));
    return { changes, changesPerS: changes / wallS, floorChangesPerS, wallS, cpuS, cpuParts, peakRssMB };
  };
  try {
    const mixed = await catchUp(MIXED, await changesSql(1));
    const inserts = await catchUp(INSERTED, insertSql(2));
    const [{ version } = { version: '' }] = await server.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    );
    const date = new Date().toISOString().slice(0, 10);
    return { name: 'changes', mixed, inserts, machine: describeMachine(version), date, options: {} };
  } finally {
    await dropSlots(server);
    await server.stop('fast');
  }
}

/** The figures for people, a line for each catch-up. */
export function describeChanges({ mixed, inserts }: ChangesResult): string {
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const lines = Object.entries({ mixed, inserts }).map(([name, catchUp]) => {
    const { changes, changesPerS, floorChangesPerS, wallS, cpuS, cpuParts, peakRssMB } = catchUp;
    const { engine, source, destination } = cpuParts;
    const parts = `engine ${engine.toFixed(1)}, source ${source.toFixed(1)}, destination ${destination.toFixed(1)}`;
    const speed = `${count(changes)} changes, ${wallS.toFixed(1)} s, ${count(changesPerS)}/s of ${count(floorChangesPerS)}/s that the server decodes`;
    return `${name.padEnd(16)}  ${speed}, CPU ${cpuS.toFixed(1)} s (${parts}), ${peakRssMB} MB RSS\n`;
  });
  return lines.join('');
}

function configOf({ host, port, user, database }: PostgresServer) {
  return { host, port, user, database, password: '${env:BENCH_PASSWORD}', tls: { mode: 'disable' } };
}

async function makeCopy(server: PostgresServer): Promise<void> {
  await dropSlots(server);
  await server.query('DROP TABLE IF EXISTS trips_cdc');
  await server.query('CREATE TABLE trips_cdc (LIKE trips INCLUDING ALL)');
  await server.query(`INSERT INTO trips_cdc SELECT * FROM trips WHERE id <= ${COPIED}`);
  await server.query('VACUUM (ANALYZE, FREEZE) trips_cdc');
}

/** Slots of an earlier run would keep the log, its publications name tables that are gone. */
async function dropSlots(server: PostgresServer): Promise<void> {
  await server.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active');
  const publications = await server.query<{ name: string }>('SELECT quote_ident(pubname) AS name FROM pg_publication');
  for (const { name } of publications) await server.query(`DROP PUBLICATION ${name}`);
}

async function changesSql(round: number): Promise<string> {
  const script = await readFile(path.join(import.meta.dirname, 'data/changes.sql'), 'utf8');
  return script.replaceAll(':round', String(round));
}

/** A million inserts in 100 transactions. */
function insertSql(round: number): string {
  return `DO $do$ BEGIN FOR k IN 0..99 LOOP
    INSERT INTO trips_cdc SELECT (jsonb_populate_record(t, jsonb_build_object('id', t.id + 100000000 * ${round}))).*
      FROM trips AS t WHERE t.id > 1000000 + k * 10000 AND t.id <= 1010000 + k * 10000;
    COMMIT; END LOOP; END $do$`;
}

/** How long the server takes to decode all that the pipeline's slot has before it, and to throw it away. */
async function secondsToDecode(server: PostgresServer): Promise<number> {
  const [found] = await server.query<{ slot: string; publication: string }>(
    'SELECT slot_name AS slot, pubname AS publication FROM pg_replication_slots, pg_publication',
  );
  if (!found) throw new Error('The sync has left no slot or no publication.');
  const started = performance.now();
  await server.query(
    `SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2)`,
    [found.slot, found.publication],
  );
  return (performance.now() - started) / 1000;
}

const SUMS =
  'count(*) AS rows, sum(id) AS ids, sum(CAST(round(tip_amount * 100) AS bigint)) AS tips, count(note) AS notes, count(passenger_count) AS passengers, sum(total_amount) AS totals';

async function mustBeEqual(server: PostgresServer, warehouse: string): Promise<void> {
  const [wanted] = await server.query<Record<string, unknown>>(`SELECT ${SUMS} FROM trips_cdc`);
  await using catalog = await openSqlCatalog({ uri: `sqlite:///${warehouse}/catalog.db`, warehouse, name: 'fjord' });
  const table = await catalog.loadTable({ namespace: ['public'], name: 'trips_cdc' });
  if (!table) throw new Error('The sync has made no table.');
  const { metadataLocation } = table;
  const found = await readWithDuckDB({ metadataLocation, sql: `SELECT ${SUMS} FROM lake` });
  const [expected, actual] = [Object.values(wanted ?? {}).map(String), found.rows[0]?.map(String)];
  if (JSON.stringify(expected) === JSON.stringify(actual)) return;
  throw new Error(`PostgreSQL has ${JSON.stringify(expected)}, the table ${JSON.stringify(actual)} (${SUMS}).`);
}
