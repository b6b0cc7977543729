import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PostgresServer } from '@fjord/test-harness';
import { openFollowedCopy, versionOf } from './followed-copy.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Options } from './options.ts';

const COPIED = 1_000_000;
const MIXED = 1_300_000;
const INSERTED = 1_000_000;

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
  await using copy = await openFollowedCopy(options, COPIED);
  const { server } = copy;
  await copy.sync();
  const catchUp = async (changes: number, sql: string): Promise<CatchUp> => {
    await server.query(sql);
    const floorChangesPerS = changes / (await secondsToDecode(server));
    const { wallS, cpuS, cpuParts, peakRssMB } = await copy.sync();
    await copy.mustBeEqual();
    return { changes, changesPerS: changes / wallS, floorChangesPerS, wallS, cpuS, cpuParts, peakRssMB };
  };
  const mixed = await catchUp(MIXED, await changesSql(1));
  const inserts = await catchUp(INSERTED, insertSql(2));
  const machine = describeMachine(await versionOf(server));
  return { name: 'changes', mixed, inserts, machine, date: new Date().toISOString().slice(0, 10), options: {} };
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
