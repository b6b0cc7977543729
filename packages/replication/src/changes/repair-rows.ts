import { type Column, ConnectorError, type Repair } from '@fjord/core';
import { appendRecord, BatchBuilder, changeBatchColumns } from '@fjord/core/arrow';
import type { OrderKey } from '../change-log.ts';
import { sourceView } from '../shape/source-view.ts';
import type { ChangeBatch } from './change-batch.ts';
import type { ChangeFlow } from './change-flow.ts';
import type { ReadByKey } from './complete-rows.ts';
import type { FollowedStream } from './followed-stream.ts';

type Row = Record<string, unknown>;

export type RepairParts = {
  streams: ReadonlyMap<string, FollowedStream>;
  flow: ChangeFlow;
  /** Reads rows as they are at the place `upTo`, which lies beyond all that was sent. */
  read: ReadByKey;
  upTo: OrderKey;
};

/** Sends the rows with these keys again, of one stream after the other. `config_invalid` for a stream that is no copy which follows the log. */
export async function repairRows(repair: Repair['streams'], { streams, flow, read, upTo }: RepairParts): Promise<void> {
  for (const [name, keys] of Object.entries(repair)) {
    const stream = streams.get(name);
    if (stream?.phase !== 'following' || stream.selected.writeMode !== 'upsert') throw cannotRepair(name);
    // All columns, and rows that the filter leaves out too: filter and transforms are applied to changes.
    const { shape: _, ...view } = sourceView(stream.selected);
    const columns = stream.logColumns;
    const rows = await read({ ...view, columns }, keys);
    const batch = changesOfRows({ keys, rows, upTo }, { columns, primaryKey: view.primaryKey });
    await flow.repair(name, { batch, upTo });
  }
}

type FoundRows = { keys: readonly Row[]; rows: readonly Row[]; upTo: OrderKey };

/** Changes that make a table's rows of these keys what the source has: each row that is there as an update, every other key as a delete. */
export function changesOfRows(
  { keys, rows, upTo }: FoundRows,
  { columns, primaryKey }: { columns: readonly Column[]; primaryKey: readonly string[] },
): ChangeBatch {
  const keyOf = (row: Row) => JSON.stringify(primaryKey.map((name) => row[name]));
  const found = new Map(rows.map((row) => [keyOf(row), row]));
  const builder = new BatchBuilder(changeBatchColumns(columns, [...primaryKey]));
  const place = { _position: Buffer.from(upTo, 'hex').toString('base64'), _unset: null, _committed_at: null };
  for (const key of keys) {
    const row = found.get(keyOf(key));
    appendRecord(builder, row ? { ...row, _op: 'u', ...place } : { ...key, _op: 'd', ...place });
  }
  return builder.finish();
}

const cannotRepair = (stream: string) =>
  new ConnectorError('config_invalid', `Rows of ${stream} cannot be sent again: it is no copy that follows the log.`, {
    stream,
    help: 'Let a sync complete it first, or copy it anew.',
  });
