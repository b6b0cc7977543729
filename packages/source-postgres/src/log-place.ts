import { ConnectorError } from '@fjord/core';
import type { Connection } from './connection.ts';
import type { LogSessions } from './log-sessions.ts';
import { isOnHistory, type Lsn, parseLsn, parsePosition, type Position } from './position.ts';
import { dropStatement, findSlot, inUse, type Slot, whyUnusable } from './slot.ts';

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

/**
 * A slot; if an earlier one of its name was given up, why; from where on streams are published that were not before; and whether somebody has
 * read from it since this run began: then it is another sync of the pipeline that has moved it.
 */
export type SlotHistory = {
  name: string;
  givenUp: string | undefined;
  publishedFrom: ReadonlyMap<string, Lsn>;
  wasRead: boolean;
};

/** Of positions by stream those from which neither the server's history nor the slot leads on. */
export async function findLost(
  sessions: LogSessions,
  slot: SlotHistory,
  positions: ReadonlyMap<string, unknown>,
): Promise<ReadonlyMap<string, ConnectorError>> {
  const found = await findSlot(await sessions.sql(), slot.name);
  const lost = new Map<string, ConnectorError>();
  for (const [stream, value] of positions) {
    const why =
      (await whyOffHistory(sessions, parsePosition(value))) ??
      whyNotInSlot(found, slot, positionOf(value)) ??
      (parseLsn(positionOf(value).lsn) < (slot.publishedFrom.get(stream) ?? 0n)
        ? 'the table was taken out of the publication meanwhile'
        : undefined);
    if (why !== undefined) lost.set(stream, positionLost(why, { stream }));
  }
  return lost;
}

/** Finds the slot, and makes sure that the log can be followed through it from a place. */
export async function requirePlace(sessions: LogSessions, slot: SlotHistory, from: Position): Promise<Slot> {
  const found = await findSlot(await sessions.sql(), slot.name);
  // Before its place is looked at: whoever reads from it moves it.
  if (found?.active) throw inUse(found);
  const why = (await whyOffHistory(sessions, from)) ?? whyNotInSlot(found, slot, from);
  if (found && why === undefined) return found;
  const isUseless = found !== undefined && whyUnusable(found) !== undefined;
  throw positionLost(why ?? 'it has no replication slot', {
    ...(isUseless && {
      help: `${dropStatement(slot.name)} Then re-backfill the streams: readers keep the old rows meanwhile.`,
    }),
  });
}

async function whyOffHistory(sessions: LogSessions, position: Position | undefined): Promise<string | undefined> {
  if (!position) return 'the state holds no place in the log of PostgreSQL';
  const now = await sessions.identify();
  if (isOnHistory(position, now, await sessions.history())) return whyBeyondEnd(await sessions.sql(), position);
  if (position.systemId !== now.systemId)
    return 'the server is another one than before (its system identifier differs)';
  return `the server never had ${position.lsn} on timeline ${position.timeline} (a standby that was behind was promoted, or a backup restored)`;
}

const END = 'SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text AS lsn';

/** A standby may only be behind; what the one that writes the log does not have is gone. */
async function whyBeyondEnd(connection: Connection, { lsn }: Position): Promise<string | undefined> {
  if (connection.isStandby) return undefined;
  const [end] = await connection.query<{ lsn: string }>(END);
  if (!end || parseLsn(lsn) <= parseLsn(end.lsn)) return undefined;
  return `the log of the server ends before ${lsn}, at ${end.lsn}: it was restored to an older state`;
}

function whyNotInSlot(
  found: Slot | undefined,
  { name, givenUp, wasRead }: SlotHistory,
  { lsn }: Position,
): string | undefined {
  if (!found) return `replication slot "${name}" is gone`;
  const unusable = whyUnusable(found);
  if (unusable !== undefined) return `the server has given replication slot "${name}" up (${unusable})`;
  const { confirmed_flush_lsn } = found;
  if (confirmed_flush_lsn === null || parseLsn(confirmed_flush_lsn) <= parseLsn(lsn)) return undefined;
  if (wasRead && givenUp === undefined) {
    throw new ConnectorError('fenced', `Another sync has moved replication slot "${name}" on since this one began.`);
  }
  if (givenUp !== undefined) return `replication slot "${name}" was made anew (${givenUp})`;
  return `replication slot "${name}" begins at ${confirmed_flush_lsn}, beyond ${lsn}: it was made anew or moved`;
}
