import type { PageBuffer } from '../page-buffer.ts';
import type { ByteArrayValues } from '../values/byte-array-values.ts';
import { appendDeltas } from './delta-binary-packed.ts';

let lengths = new Int32Array(0);

/** Appends byte arrays as DELTA_LENGTH_BYTE_ARRAY (Encodings.md): all lengths as deltas, then all bytes. False, with the page as it was, if the lengths jump too far. */
export function appendLengthsAndBytes(page: PageBuffer, { offsets, data, count, dataBytes }: ByteArrayValues): boolean {
  if (lengths.length < count) lengths = new Int32Array(count);
  for (let index = 0; index < count; index++) lengths[index] = offsets[index + 1]! - offsets[index]!;
  if (!appendDeltas(page, lengths, { width: 1, count })) return false;
  page.append(data.subarray(0, dataBytes));
  return true;
}
