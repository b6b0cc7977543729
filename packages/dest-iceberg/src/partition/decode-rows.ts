import { RecordBatchReader } from 'apache-arrow';
import { joined } from '../parquet/whole-stream.ts';
import type { ArrowRows } from './arrow-rows.ts';

/** The record batches of an Arrow IPC stream that comes in pieces. */
export function decodeRows(body: readonly Uint8Array[]): ArrowRows[] {
  return RecordBatchReader.from(alignedStream(body))
    .readAll()
    .map(({ numRows, data }) => ({ length: numRows, columns: data.children }));
}

/** Buffers of a stream are aligned to its start, and typed arrays need them aligned in memory. */
function alignedStream(body: readonly Uint8Array[]): Uint8Array {
  const [first] = body;
  if (body.length === 1 && first && first.byteOffset % 8 === 0) return first;
  return joined(body);
}
