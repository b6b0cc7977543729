import type { BooleanColumn, BytesColumn, FixedColumn, ListColumn, MapColumn } from '@fjord/core/arrow';
import type { Decoder } from './decoder.ts';
import type { FieldRun } from './fields.ts';
import { decodeHstores } from './hstore.ts';
import { decodeNumerics, decodeUnboundedNumerics } from './numeric.ts';
import { decodePrinted } from './printed.ts';
import type { Rejections } from '@fjord/replication';
import { decodeDates, decodeTimes, decodeTimestamps } from './times.ts';
import { decodeHalfVectors, decodeVectors } from './vectors.ts';
import type { ScalarWire } from './wire.ts';

/** Makes the decoder of values that hold no others; `scale` is that of a decimal column. */
export function scalarDecoder(
  wire: ScalarWire,
  { scale, rejections }: { scale: number; rejections: Rejections },
): Decoder {
  switch (wire) {
    case 'bool':
      return (run, column) => decodeBooleans(run, column as BooleanColumn);
    case 'int2':
      return (run, column) => decodeInt2(run, column as FixedColumn);
    case 'int4':
      return (run, column) => decodeInt4(run, column as FixedColumn);
    case 'int8':
      return (run, column) => decodeInt8(run, column as FixedColumn);
    case 'oid':
      return (run, column) => decodeOid(run, column as FixedColumn);
    case 'float4':
      return (run, column) => decodeFloat4(run, column as FixedColumn);
    case 'float8':
      return (run, column) => decodeFloat8(run, column as FixedColumn);
    case 'uuid':
      return (run, column) => decodeUuid(run, column as FixedColumn);
    case 'numeric':
      return (run, column) => decodeNumerics(run, column as FixedColumn, { scale, rejections });
    case 'unbounded numeric':
      return (run, column) => decodeUnboundedNumerics(run, column as FixedColumn, { scale, rejections });
    case 'money':
      return (run, column) => decodeWideInt8(run, column as FixedColumn, 'signed');
    case 'xid8':
      return (run, column) => decodeWideInt8(run, column as FixedColumn, 'unsigned');
    case 'date':
      return (run, column) => decodeDates(run, column as FixedColumn, rejections);
    case 'time':
      return (run, column) => decodeTimes(run, column as FixedColumn, rejections);
    case 'timestamp':
    case 'timestamptz':
      return (run, column) => decodeTimestamps(run, column as FixedColumn, rejections);
    case 'bytea':
    case 'text':
    case 'inet text':
      return (run, column) => decodeTexts(run, column as BytesColumn);
    case 'jsonb':
      // The first byte is the version of jsonb's wire format, 1; the rest is text.
      return (run, column) => decodeBytes(run, column as BytesColumn, 1);
    case 'hstore':
      return (run, column) => decodeHstores(run, column as MapColumn);
    case 'vector':
      return (run, column) => decodeVectors(run, column as ListColumn);
    case 'halfvec':
      return (run, column) => decodeHalfVectors(run, column as ListColumn);
    case 'printed numeric':
    case 'printed interval':
    case 'printed inet':
    case 'printed macaddr':
      return (run, column) => decodePrinted(wire, run, column as BytesColumn);
    default:
      return wire satisfies never;
  }
}

function decodeBooleans({ fields, field, rows, base }: FieldRun, column: BooleanColumn): void {
  const { bytes, view, offsets, stride } = fields;
  const { validity, bits } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      if (bytes[at] !== 0) bits[row >> 3]! |= 1 << (row & 7);
    }
  }
}

function decodeInt2({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[row] = view.getInt16(at);
    }
  }
}

function decodeInt4({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[row] = view.getInt32(at);
    }
  }
}

/** As two words: no bigint a row. */
function decodeInt8({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[2 * row + 1] = view.getInt32(at);
      words[2 * row] = view.getInt32(at + 4);
    }
  }
}

/** 64 bits become a decimal's 128. */
function decodeWideInt8(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  sign: 'signed' | 'unsigned',
): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      const high = view.getInt32(at);
      words[4 * row] = view.getInt32(at + 4);
      words[4 * row + 1] = high;
      words[4 * row + 2] = sign === 'signed' ? high >> 31 : 0;
      words[4 * row + 3] = words[4 * row + 2]!;
    }
  }
}

/** Unsigned 32 bits become a long. */
function decodeOid({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[2 * row] = view.getInt32(at);
      words[2 * row + 1] = 0;
    }
  }
}

/** The bits are moved as they are, so that NaN and -0 stay what they were. */
function decodeFloat4(run: FieldRun, column: FixedColumn): void {
  decodeInt4(run, column);
}

function decodeFloat8(run: FieldRun, column: FixedColumn): void {
  decodeInt8(run, column);
}

function decodeUuid({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      // Bytes in their order: read and written as little-endian words.
      words[4 * row] = view.getInt32(at, true);
      words[4 * row + 1] = view.getInt32(at + 4, true);
      words[4 * row + 2] = view.getInt32(at + 8, true);
      words[4 * row + 3] = view.getInt32(at + 12, true);
    }
  }
}

/** Below this a loop is faster than a call into native code. */
const SHORT_BYTES = 48;

/** Text and bytes as they come. */
export function decodeTexts(run: FieldRun, column: BytesColumn): void {
  decodeBytes(run, column, 0);
}

/** Text and bytes; `skip` leading bytes of each value are not part of it. */
function decodeBytes({ fields, field, rows, base }: FieldRun, column: BytesColumn, skip: number): void {
  const { bytes, view, offsets, stride } = fields;
  const { validity, offsets: ends } = column;
  let { data } = column;
  let end = ends[base]!;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]! + skip;
    const length = view.getInt32(at - skip - 4) - skip;
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
