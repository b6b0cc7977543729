import { ConnectorError } from '@fjord/core';
import type { LogSessions } from './log-sessions.ts';
import { isOnHistory, parseLsn, parsePosition, type Position } from './position.ts';
import { dropStatement, findSlot, type Slot } from './slot.ts';

/** The position in a state. */
export function positionOf(value: unknown): Position {
  const position = parsePosition(value);
  if (position) return position;
  throw positionLost('the state holds no place in the log of PostgreSQL');
}

/** The error of a place from which the log cannot be followed. */
export function positionLost(why: string, { stream, help }: { stream?: string; help?: string } = {}): ConnectorError {
  const whose = stream === undefined ? 'The change log' : `For ${stream} the change log`;
  return new ConnectorError('position_lost', `${whose} does not lead on from where the sync was: ${why}.`, {
    ...(stream !== undefined && { stream }),
    ...(help !== undefined && { help }),
  });
}

/** Of positions by stream those that are on no history of the server. */
export async function findLost(
  sessions: LogSessions,
  positions: ReadonlyMap<string, unknown>,
): Promise<ReadonlyMap<string, ConnectorError>> {
  const now = await sessions.identify();
  const history = await sessions.history();
  const lost = [...positions].flatMap(([stream, value]) => {
    const position = parsePosition(value);
    if (position && isOnHistory(position, now, history)) return [];
    return [[stream, positionLost(whyLost(position, now.systemId), { stream })] as const];
  });
  return new Map(lost);
}

function whyLost(position: Position | undefined, systemId: string): string {
  if (!position) return 'the state holds no place in the log of PostgreSQL';
  if (position.systemId !== systemId) return 'the server is another one than before (its system identifier differs)';
  return `the server has left timeline ${position.timeline} before ${position.lsn} (a promoted standby that was behind, or a backup that was restored)`;
}

/** Finds the slot, and makes sure that the log can be followed through it from a place. */
export async function requirePlace(sessions: LogSessions, name: string, from: Position): Promise<Slot> {
  const lost = await findLost(sessions, new Map([['', from]]));
  if (lost.size > 0) throw positionLost(whyLost(from, (await sessions.identify()).systemId));
  const slot = await findSlot(await sessions.sql(), name);
  if (!slot) throw positionLost(`replication slot "${name}" is gone`);
  const { wal_status, invalidation_reason, restart_lsn, confirmed_flush_lsn } = slot;
  const reason = invalidation_reason ?? (wal_status === 'lost' ? 'max_slot_wal_keep_size' : undefined);
  if (reason !== undefined || restart_lsn === null) {
    throw positionLost(`the server has given replication slot "${name}" up (${reason ?? 'its log is gone'})`, {
      help: `${dropStatement(name)} Then re-backfill the streams: readers keep the old rows meanwhile.`,
    });
  }
  if (confirmed_flush_lsn !== null && parseLsn(confirmed_flush_lsn) > parseLsn(from.lsn)) {
    throw positionLost(`replication slot "${name}" has been moved beyond it, to ${confirmed_flush_lsn}`);
  }
  return slot;
}
