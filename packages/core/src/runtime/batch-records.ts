import { batchToRecords } from '../arrow/batch-to-records.ts';
import { CHANGE_COLUMNS, rowToChange } from '../arrow/change-rows.ts';
import type { Column } from '../column-type.ts';
import type { BatchMessage, Message } from '../protocol/messages.ts';

/** The rows of a BATCH as RECORD messages; `columns` are those of the stream's SCHEMA. */
export function* recordsOf(message: BatchMessage, columns: readonly Column[]): Generator<Message<'RECORD'>> {
  const { stream, chunk, attempt, kind, body } = message;
  const place = { ...(chunk !== undefined && { chunk }), ...(attempt !== undefined && { attempt }) };
  if (kind === 'backfill') {
    for (const data of batchToRecords(body, columns)) yield { type: 'RECORD', stream, data, ...place };
    return;
  }
  for (const row of batchToRecords(body, [...columns, ...CHANGE_COLUMNS])) {
    yield { type: 'RECORD', stream, ...rowToChange(row, columns), ...place };
  }
}
