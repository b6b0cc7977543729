import type { Column, Condition, Literal, SelectedStream } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { appendRecord, BatchBuilder, CHANGE_COLUMNS, changeBatchColumns } from '@fjord/core/arrow';
import type { Database, EncodedBatch } from '../database.ts';
import { sourceView } from '../shape/source-view.ts';
import { type ChangeBatch, readBatch } from './change-batch.ts';

/** Keys that are asked for in one statement. */
const KEYS_PER_READ = 500;
const BATCH_BYTES = 1024 * 1024;

type Row = Record<string, unknown>;

/** Reads rows of a stream by their keys, as they are now, at the source. */
export type ReadByKey = (selected: SelectedStream, keys: Row[]) => Promise<Row[]>;

/**
 * Fills what the log did not carry (large values that did not change) from the source, for changes of rows that their table may not hold
 * yet (rule 4). A row that is gone by now is left out: its delete follows. Undefined if every change carries all of its row.
 */
export async function completeRows(
  batch: ChangeBatch,
  { selected, columns }: { selected: SelectedStream; columns: readonly Column[] },
  read: ReadByKey,
): Promise<ChangeBatch | undefined> {
  // Most batches carry all: they are not looked at row by row.
  if (batch.rows === 0 || readBatch(batch.body).getChild('_unset')?.nullCount === batch.rows) return undefined;
  const rows = [...batchToRecords(batch.body, [...columns, ...CHANGE_COLUMNS])];
  const isIncomplete = (row: Row) => row['_unset'] !== null && row['_op'] !== 'd';
  const incomplete = rows.filter(isIncomplete);
  if (incomplete.length === 0) return undefined;
  const { primaryKey } = sourceView(selected);
  const keyOf = (row: Row) => JSON.stringify(primaryKey.map((name) => row[name]));
  const found = new Map((await read(selected, incomplete)).map((row) => [keyOf(row), row]));
  const builder = new BatchBuilder(changeBatchColumns(columns, primaryKey));
  for (const row of rows) {
    if (!isIncomplete(row)) appendRecord(builder, row);
    else if (found.has(keyOf(row))) {
      appendRecord(builder, { ...withUnset(row, found.get(keyOf(row)) ?? {}, columns), _unset: null });
    }
  }
  return builder.finish();
}

function withUnset(row: Row, now: Row, columns: readonly Column[]): Row {
  const bits = Buffer.from(String(row['_unset']), 'base64');
  const isUnset = (index: number) => (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  const filled = columns.flatMap(({ name }, index) => (isUnset(index) ? [[name, now[name] ?? null]] : []));
  return { ...row, ...Object.fromEntries(filled) };
}

type ByKey = { signal: AbortSignal; /** Token of a held snapshot to read in. */ snapshot?: string };

/** Reads by key through the database's own way of reading a filtered stream. */
export function readerByKey(database: Database, by: ByKey): ReadByKey {
  return async (selected, keys) => {
    const rows: Row[] = [];
    for (let start = 0; start < keys.length; start += KEYS_PER_READ) {
      const stream = streamOf(sourceView(selected), keys.slice(start, start + KEYS_PER_READ));
      for await (const batch of readAll(database, stream, by)) rows.push(...batchToRecords(batch.body, stream.columns));
    }
    return rows;
  };
}

/** The stream with no rows but those with these keys. */
function streamOf(view: SelectedStream, keys: Row[]): SelectedStream {
  const { columns, primaryKey } = view;
  const equals = (row: Row, column: string): Condition => ({ column, compare: '=', value: row[column] as Literal });
  const condition: Condition = { or: keys.map((row) => ({ and: primaryKey.map((column) => equals(row, column)) })) };
  const keyColumns = columns.filter(({ name }) => primaryKey.includes(name));
  return { ...view, shape: { columns, primaryKey, outputs: [], filter: { condition, columns: keyColumns } } };
}

async function* readAll(
  database: Database,
  stream: SelectedStream,
  { signal, snapshot }: ByKey,
): AsyncGenerator<EncodedBatch> {
  const whole = { unitBytes: Number.MAX_SAFE_INTEGER, snapshot, cutBy: 'key', since: undefined } as const;
  const plan = await database.planChunks(stream, whole);
  const request = { stream, plan, units: [0, plan.units], pieces: 1, snapshot, since: undefined } as const;
  const limits = { maxStatementSeconds: undefined, batchBytes: BATCH_BYTES, signal };
  for await (const item of database.readChunk({ ...request, ...limits }))
    if ('body' in item && item.rows > 0) yield item;
}
