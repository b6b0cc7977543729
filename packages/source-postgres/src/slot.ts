import { createHash } from 'node:crypto';
import { ConnectorError } from '@fjord/core';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';

/** The longest name that the server keeps whole (manual, 4.1.1 Identifiers and Key Words). */
const MAX_NAME_BYTES = 63;

/** What pg_replication_slots says of a slot; what an older server does not know is absent. */
export type Slot = {
  slot_name: string;
  /** Absent from a physical slot, as its database is. */
  plugin: string | null;
  database: string | null;
  temporary: boolean;
  active: boolean;
  active_pid: number | null;
  confirmed_flush_lsn: string | null;
  restart_lsn: string | null;
  wal_status?: 'reserved' | 'extended' | 'unreserved' | 'lost' | null;
  invalidation_reason?: string | null;
  conflicting?: boolean | null;
};

const SLOT = 'SELECT pg_catalog.to_jsonb(s) AS slot FROM pg_catalog.pg_replication_slots AS s WHERE s.slot_name = $1';

/** The name of a pipeline's slot and publication: as near to its id as a slot's name may be, and never that of another pipeline. */
export function nameFor(pipeline: string): string {
  const plain = `fjord_${pipeline}`;
  const name = plain.toLowerCase().replaceAll('-', '_');
  if (name === plain && name.length <= MAX_NAME_BYTES) return name;
  const hash = createHash('sha256').update(pipeline).digest('hex').slice(0, 8);
  return `${name.slice(0, MAX_NAME_BYTES - 9)}_${hash}`;
}

export async function findSlot(connection: Connection, name: string): Promise<Slot | undefined> {
  const [row] = await connection.query<{ slot: Slot }>(SLOT, [name]);
  return row?.slot;
}

/** Slots of any pipeline, of this database, that nobody reads from now: they keep the log all the same. */
export async function findIdleSlots(connection: Connection): Promise<string[]> {
  const slots = await connection.query<{ name: string }>(
    `SELECT slot_name::text AS name FROM pg_catalog.pg_replication_slots
     WHERE slot_name LIKE 'fjord\\_%' AND NOT active AND database = pg_catalog.current_database() ORDER BY 1`,
  );
  return slots.map(({ name }) => name);
}

/** Why the server will send nothing more through a slot; undefined if it does. */
export function whyUnusable({ wal_status, invalidation_reason, restart_lsn, conflicting }: Slot): string | undefined {
  if (invalidation_reason) return invalidation_reason;
  if (wal_status === 'lost') return 'it was further behind than max_slot_wal_keep_size allows';
  if (conflicting) return 'replay had to remove what it needed';
  return restart_lsn === null ? 'its log is gone' : undefined;
}

/** A slot that was made, and the snapshot that shows just what was committed before its place, if it was asked for. */
export type CreatedSlot = { consistentPoint: string; snapshot: string | undefined };

export type SlotRequest = { name: string; version: number; kind: 'lasting' | 'temporary, with a snapshot' };

/** Makes a slot of pgoutput on a connection for the log. A snapshot lasts until the next command there. Waits for the transactions under way. */
export async function createSlot(connection: Connection, { name, version, kind }: SlotRequest): Promise<CreatedSlot> {
  const isTemporary = kind !== 'lasting';
  const snapshot = isTemporary ? 'export' : 'nothing';
  const options = [
    `SNAPSHOT '${snapshot}'`,
    // A standby that is promoted has the slot too (manual, 47.2.3 Replication Slot Synchronization); one cannot be made on a standby.
    ...(version >= 170_000 && !isTemporary && !connection.isStandby ? ['FAILOVER true'] : []),
  ];
  const traits = version >= 150_000 ? `(${options.join(', ')})` : isTemporary ? 'EXPORT_SNAPSHOT' : 'NOEXPORT_SNAPSHOT';
  const [slot] = await connection.query<{ consistent_point: string; snapshot_name: string | null }>(
    `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)}${isTemporary ? ' TEMPORARY' : ''} LOGICAL pgoutput ${traits}`,
  );
  if (!slot) throw new Error('CREATE_REPLICATION_SLOT said nothing of the slot');
  return { consistentPoint: slot.consistent_point, snapshot: slot.snapshot_name ?? undefined };
}

export async function dropSlot(connection: Connection, name: string): Promise<void> {
  await connection.query('SELECT pg_catalog.pg_drop_replication_slot($1)', [name]);
}

/** The same as a statement to paste. */
export function dropStatement(name: string): string {
  return `SELECT pg_drop_replication_slot(${quoteLiteral(name)});`;
}

/** The error of a slot from which somebody else reads. */
export function inUse({ slot_name, active_pid }: Slot, cause?: unknown): ConnectorError {
  const reader = active_pid === null ? '' : ` by server process ${active_pid}`;
  return new ConnectorError('source_busy', `Replication slot "${slot_name}" is in use${reader}.`, {
    cause,
    help: `End the other sync of this pipeline, or wait until the server has noticed that it is gone (wal_sender_timeout); by hand: SELECT pg_terminate_backend(${active_pid ?? '…'});`,
  });
}
