import type { BooleanColumn, FixedColumn } from '@fjord/core/arrow';
import type { FieldRun } from './fields.ts';

type Sign = 'signed' | 'unsigned';

/** One byte. */
export function decodeInt1({ fields, field, rows, base }: FieldRun, column: FixedColumn, sign: Sign): void {
  const { bytes, offsets, stride } = fields;
  const { validity, words } = column;
  const shift = sign === 'signed' ? 24 : 0;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[row] = (bytes[at]! << shift) >> shift;
    }
  }
}

/** Two bytes, little-endian. */
export function decodeInt2({ fields, field, rows, base }: FieldRun, column: FixedColumn, sign: Sign): void {
  const { bytes, offsets, stride } = fields;
  const { validity, words } = column;
  const shift = sign === 'signed' ? 16 : 0;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[row] = ((bytes[at]! | (bytes[at + 1]! << 8)) << shift) >> shift;
    }
  }
}

/** Four bytes, little-endian: an int, or the bits of a float. */
export function decodeInt4({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[row] = view.getInt32(at, true);
    }
  }
}

/** Unsigned 32 bits become a long. */
export function decodeUnsignedInt4({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[2 * row] = view.getInt32(at, true);
      words[2 * row + 1] = 0;
    }
  }
}

/** Eight bytes, little-endian, as two words: no bigint a row. A long, or the bits of a double. */
export function decodeInt8({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[2 * row] = view.getInt32(at, true);
      words[2 * row + 1] = view.getInt32(at + 4, true);
    }
  }
}

/** Unsigned 64 bits become a decimal's 128. */
export function decodeUnsignedInt8({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      words[4 * row] = view.getInt32(at, true);
      words[4 * row + 1] = view.getInt32(at + 4, true);
      words[4 * row + 2] = 0;
      words[4 * row + 3] = 0;
    }
  }
}

/** One byte that is 0 or not: a tinyint(1), or a bit. */
export function decodeBooleans({ fields, field, rows, base }: FieldRun, column: BooleanColumn): void {
  const { bytes, offsets, stride } = fields;
  const { validity, bits } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) column.nullCount++;
    else {
      validity[row >> 3]! |= 1 << (row & 7);
      if (bytes[at] !== 0) bits[row >> 3]! |= 1 << (row & 7);
    }
  }
}

/** A bit(n): up to eight bytes, big-endian, become a long, or a decimal where all 64 bits are used. */
export function decodeBits({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { bytes, offsets, lengths, stride } = fields;
  const { validity, words, width } = column;
  const wordsPerRow = width >> 2;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) {
      column.nullCount++;
      continue;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    const end = at + lengths[o]!;
    let low = 0;
    let high = 0;
    for (let k = at; k < end; k++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | bytes[k]!;
    }
    words[wordsPerRow * row] = low;
    words[wordsPerRow * row + 1] = high;
    for (let word = 2; word < wordsPerRow; word++) words[wordsPerRow * row + word] = 0;
  }
}
