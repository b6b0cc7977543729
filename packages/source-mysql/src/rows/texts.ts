import type { BytesColumn, FixedColumn, ListColumn } from '@fjord/core/arrow';
import type { FieldRun } from './fields.ts';

/** Below this a loop is faster than a call into native code. */
const SHORT_BYTES = 48;

/** Text and bytes as they come; `skip` leading bytes of each value are not part of it. */
export function decodeBytes({ fields, field, rows, base }: FieldRun, column: BytesColumn, skip: number): void {
  const { bytes, offsets, lengths, stride } = fields;
  const { validity, offsets: ends } = column;
  let { data } = column;
  let end = ends[base]!;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]! + skip;
    const length = at < skip ? -1 : lengths[o]! - skip;
    if (length < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      if (end + length > data.length) {
        ends[row] = end;
        column.reserveData(end + length);
        data = column.data;
      }
      if (length < SHORT_BYTES) for (let k = 0; k < length; k++) data[end + k] = bytes[at + k]!;
      else bytes.copy(data, end, at, at + length);
      end += length;
    }
    ends[row + 1] = end;
  }
}

/** The text of a uuid becomes its 16 bytes. */
export function decodeUuids({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { bytes, offsets, lengths, stride } = fields;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) {
      column.nullCount++;
      continue;
    }
    column.setValid(row);
    const digits = bytes.toString('latin1', at, at + lengths[o]!).replaceAll('-', '');
    if (digits.length !== 32) throw new Error('a uuid has not 32 digits');
    column.bytes.set(Buffer.from(digits, 'hex'), row * 16);
  }
}

/** A vector is its floats, little-endian, behind each other. */
export function decodeVectors({ fields, field, rows, base }: FieldRun, column: ListColumn): void {
  const { view, offsets, lengths, stride } = fields;
  const floats = column.child as FixedColumn;
  let end = column.offsets[base]!;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      column.setValid(row);
      const count = lengths[o]! >> 2;
      floats.reserve(end + count);
      for (let k = 0; k < count; k++) {
        floats.setValid(end + k);
        floats.words[end + k] = view.getInt32(at + 4 * k, true);
      }
      end += count;
      floats.length = end;
    }
    column.offsets[row + 1] = end;
  }
}
