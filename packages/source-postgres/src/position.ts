import { fits, type Static, Type } from '@fjord/core/schema';

/** A place in the write-ahead log: bytes from its beginning (manual, 30.6 WAL Internals). */
export type Lsn = bigint & { readonly brand?: 'Lsn' };

const PositionSchema = Type.Object({
  /** As PostgreSQL prints it, `16/B374D848`: where the record of the last commit that counts has ended. */
  lsn: Type.String({ pattern: '^[0-9A-F]{1,8}/[0-9A-F]{1,8}$' }),
  /** The cluster's identifier: two clusters' logs have nothing in common. */
  systemId: Type.String(),
  /** Rises with each promotion of a standby (manual, 25.3.6 Timelines). */
  timeline: Type.Integer({ minimum: 1 }),
});

/** A place in the log of one cluster. */
export type Position = Static<typeof PositionSchema>;

/** Which log the places of a server are in. */
export type LogIdentity = Pick<Position, 'systemId' | 'timeline'>;

/** Reads a position out of a state; undefined if it is not one of ours. */
export function parsePosition(value: unknown): Position | undefined {
  return fits(PositionSchema, value) ? value : undefined;
}

export function parseLsn(text: string): Lsn {
  const [high = '', low = ''] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** A place between transactions. */
export function positionAt(lsn: Lsn, { systemId, timeline }: LogIdentity): Position {
  return { lsn: formatLsn(lsn), systemId, timeline };
}

/**
 * The order key of a place between transactions. A change has the place where the record of its commit begins, and an ordinal from 1 on:
 * so it lies after all places up to there, and before the one where that record ends.
 */
export function orderKeyOf({ lsn, timeline }: Position): string {
  return formatOrderKey({ timeline, lsn: parseLsn(lsn), ordinal: 0 });
}

/** Epoch (the timeline, 2 bytes), commit (8) and ordinal (6) as hex. */
export function formatOrderKey({ timeline, lsn, ordinal }: { timeline: number; lsn: Lsn; ordinal: number }): string {
  const parts = [
    [timeline & 0xffff, 4],
    [lsn, 16],
    [ordinal, 12],
  ] as const;
  return parts.map(([part, digits]) => part.toString(16).padStart(digits, '0')).join('');
}

/** Where a timeline was left for the next one. */
export type TimelineSwitch = { timeline: number; at: Lsn };

/** Reads a timeline history file: a line for each earlier timeline, with its number and where it was left; later ones last. */
export function parseTimelineHistory(text: string): TimelineSwitch[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line);
    return match?.[1] && match[2] ? [{ timeline: Number(match[1]), at: parseLsn(match[2].toUpperCase()) }] : [];
  });
}

/** Whether a position lies on the history of a server: on its timeline, or on an earlier one before that was left. */
export function isOnHistory(position: Position, now: LogIdentity, history: readonly TimelineSwitch[]): boolean {
  if (position.systemId !== now.systemId) return false;
  if (position.timeline === now.timeline) return true;
  const left = history.find(({ timeline }) => timeline === position.timeline);
  return left !== undefined && parseLsn(position.lsn) <= left.at;
}
