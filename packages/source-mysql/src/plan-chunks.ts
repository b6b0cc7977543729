import type { SelectedStream } from '@fjord/core';
import type { ChunkPlan, PlanRequest } from '@fjord/replication';
import { type ChunkLayout, cutUnits } from './chunk-layout.ts';
import type { TypeOptions } from './config.ts';
import type { Connection } from './connection.ts';
import { countKeyUnits, findBounds } from './key-bounds.ts';
import { findKey } from './key-ranges.ts';
import { quoteQualified } from './quoting.ts';
import { loadStreamColumns } from './stream-columns.ts';
import { findTable, placeIdentity } from './table-place.ts';
import { beginTransaction } from './transaction.ts';

/** Plans a stream's units: ranges of its key of about equal size; one unit for a view, and for a table without a key. */
export async function planChunks(
  connection: Connection,
  stream: SelectedStream,
  request: PlanRequest & { serverIdentity: string; types: TypeOptions },
): Promise<ChunkPlan> {
  await beginTransaction(connection, undefined);
  const table = await findTable(connection, stream);
  await loadStreamColumns(connection, stream, request.types);
  // An increment is one statement by its cursor.
  const isCut = !table.isView && request.since === undefined;
  const key = isCut ? await findKey(connection, stream) : undefined;
  const from = quoteQualified(stream.namespace ?? '', stream.name);
  const units = countKeyUnits(table.bytes, request.unitBytes);
  const whole = { after: undefined, upTo: undefined };
  const bounds = key ? await findBounds(connection, { key, from, range: whole, units }) : [];
  await connection.query('COMMIT');
  const layout: ChunkLayout = { ...(key && { key }), bounds };
  // An increment's end needs one moment for all units.
  const isWhole = !key || stream.incremental !== undefined;
  const all = cutUnits(layout).length + (stream.incremental ? 1 : 0);
  return { identity: placeIdentity(request.serverIdentity, table), units: all, isWhole, layout };
}
