import { RecordBatchReader, type RecordBatch, RecordBatchStreamWriter } from 'apache-arrow';
import type { OrderKey } from '../change-log.ts';

/** A batch of changes as it travels: an Arrow IPC stream in pieces. */
export type ChangeBatch = { rows: number; body: Uint8Array[] };

/** The rows of a batch that lie beyond a place, and the place of its last row; nothing if all lie before. Rows are in the order of the log. */
export function changesAfter(
  batch: ChangeBatch,
  after: OrderKey | undefined,
): (ChangeBatch & { last: OrderKey }) | undefined {
  if (batch.rows === 0) return undefined;
  const read = readBatch(batch.body);
  const keyOf = positionsOf(read);
  const last = keyOf(batch.rows - 1);
  if (after === undefined || keyOf(0) > after) return { ...batch, last };
  if (last <= after) return undefined;
  let [low, high] = [0, batch.rows - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(middle) > after) high = middle;
    else low = middle + 1;
  }
  return { ...encodeBatch(read.slice(low)), last };
}

/** The one record batch of an IPC stream. */
export function readBatch(body: readonly Uint8Array[]): RecordBatch {
  const [batch] = RecordBatchReader.from(body.length === 1 && body[0] ? body[0] : Buffer.concat(body));
  if (!batch) throw new Error('an IPC stream of changes has no record batch');
  return batch;
}

/** A record batch as an IPC stream of its own. */
export function encodeBatch(batch: RecordBatch): ChangeBatch {
  const writer = new RecordBatchStreamWriter();
  writer.write(batch);
  writer.finish();
  return { rows: batch.numRows, body: [writer.toUint8Array(true)] };
}

function positionsOf(batch: RecordBatch): (row: number) => OrderKey {
  const column = batch.getChild('_position');
  if (!column) throw new Error('a batch of changes has no column _position');
  return (row) => {
    const bytes: Uint8Array = column.get(row);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  };
}
