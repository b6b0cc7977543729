import { asConnectorError, ConnectorError, type RunContext } from '@fjord/core';
import type { Database, HeldSnapshot } from './database.ts';
import type { Consistency } from './options.ts';

/** How a run is read in the end: in a held snapshot, or without one, and if that is not what was asked for, why. */
export type ConsistentPoint = { consistency: Consistency; snapshot: HeldSnapshot | undefined; why?: string };

/**
 * Holds the snapshot that all chunks are read in, if that was asked for. Where the server holds none (some replicas, poolers that lead
 * each transaction elsewhere) the run is read by key instead; a fault that a later try may cure is thrown.
 */
export async function openPoint(
  database: Database,
  wanted: Consistency,
  context: RunContext,
): Promise<ConsistentPoint> {
  if (wanted !== 'snapshot') return { consistency: wanted, snapshot: undefined };
  try {
    if (!database.holdSnapshot) throw new ConnectorError('unsupported', 'This source holds no snapshots.');
    return { consistency: wanted, snapshot: await database.holdSnapshot() };
  } catch (thrown) {
    const error = asConnectorError(thrown);
    if (!CANNOT_HOLD.has(error.code)) throw error;
    context.log('warn', 'no snapshot can be held, streams are read by key', { error: error.message });
    return { consistency: 'keys', snapshot: undefined, why: error.message };
  }
}

const CANNOT_HOLD: ReadonlySet<string> = new Set(['unsupported', 'permission_denied', 'snapshot_lost']);
