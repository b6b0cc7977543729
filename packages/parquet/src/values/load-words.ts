import { type ArrowColumn, wordsOf } from '../arrow/arrow-column.ts';
import { tooLarge } from './page-values.ts';
import type { Selection } from './selection.ts';

/** Copies the selected values of a column into 32-bit words from `at` on, in the form of their physical type. */
export type LoadWords = (column: ArrowColumn, selection: Selection, target: Int32Array, at: number) => void;

/** 4-byte values as they are. Works on integers, so that the bits of NaNs stay. */
export const loadWords: LoadWords = (column, { start, count, indices }, target, at) => {
  const source = wordsOf(column.values);
  if (!indices) target.set(source.subarray(start, start + count), at);
  else for (let k = 0; k < count; k++) target[at + k] = source[indices[k]!]!;
};

/** 8-byte values as they are. */
export const loadDoubleWords: LoadWords = (column, { start, count, indices }, target, at) => {
  const source = wordsOf(column.values);
  if (!indices) {
    target.set(source.subarray(2 * start, 2 * (start + count)), at);
    return;
  }
  for (let k = 0, to = at; k < count; k++, to += 2) {
    const from = 2 * indices[k]!;
    target[to] = source[from]!;
    target[to + 1] = source[from + 1]!;
  }
};

/** Decimals of `stride` words that fit into one (precision up to 9). Throws if one does not. */
export function loadDecimalWord(stride: number): LoadWords {
  return (column, { start, count, indices }, target, at) => {
    const source = wordsOf(column.values);
    let lost = 0;
    for (let k = 0; k < count; k++) {
      const from = stride * (indices ? indices[k]! : start + k);
      const word = source[from]!;
      target[at + k] = word;
      for (let high = 1; high < stride; high++) lost |= source[from + high]! ^ (word >> 31);
    }
    if (lost !== 0) throw tooLarge(column);
  };
}

/** Decimals of `stride` words that fit into two (precision up to 18). Throws if one does not. */
export function loadDecimalDoubleWord(stride: number): LoadWords {
  return (column, { start, count, indices }, target, at) => {
    const source = wordsOf(column.values);
    let lost = 0;
    for (let k = 0, to = at; k < count; k++, to += 2) {
      const from = stride * (indices ? indices[k]! : start + k);
      const second = stride > 1 ? source[from + 1]! : source[from]! >> 31;
      target[to] = source[from]!;
      target[to + 1] = second;
      for (let high = 2; high < stride; high++) lost |= source[from + high]! ^ (second >> 31);
    }
    if (lost !== 0) throw tooLarge(column);
  };
}

/** Integers of 8 or 16 bits, signed or not. */
export function loadSmallIntegers(bitWidth: 8 | 16, isSigned: boolean): LoadWords {
  return (column, { start, count, indices }, target, at) => {
    const source = smallIntegers(column.values, bitWidth, isSigned);
    for (let k = 0; k < count; k++) target[at + k] = source[indices ? indices[k]! : start + k]!;
  };
}

/** 64-bit values times a factor: seconds as milliseconds. Throws on what leaves 64 bits. */
export function loadScaled(factor: bigint): LoadWords {
  return (column, { start, count, indices }, target, at) => {
    const source = wordsOf(column.values);
    for (let k = 0; k < count; k++) {
      const from = 2 * (indices ? indices[k]! : start + k);
      const value = ((BigInt(source[from + 1]!) << 32n) | BigInt(source[from]! >>> 0)) * factor;
      if (BigInt.asIntN(64, value) !== value) throw tooLarge(column);
      target[at + 2 * k] = Number(BigInt.asIntN(32, value));
      target[at + 2 * k + 1] = Number(BigInt.asIntN(32, value >> 32n));
    }
  };
}

const MS_PER_DAY = 86_400_000;

/** Dates in milliseconds as days. Throws on what leaves 32 bits. */
export const loadDays: LoadWords = (column, { start, count, indices }, target, at) => {
  const source = wordsOf(column.values);
  for (let k = 0; k < count; k++) {
    const from = 2 * (indices ? indices[k]! : start + k);
    const days = Math.floor((source[from + 1]! * 2 ** 32 + (source[from]! >>> 0)) / MS_PER_DAY);
    if ((days | 0) !== days) throw tooLarge(column);
    target[at + k] = days;
  }
};

/** 32-bit times times a factor: seconds as milliseconds. Throws on what leaves 32 bits. */
export function loadScaledWords(factor: number): LoadWords {
  return (column, { start, count, indices }, target, at) => {
    const source = wordsOf(column.values);
    for (let k = 0; k < count; k++) {
      const value = source[indices ? indices[k]! : start + k]! * factor;
      if ((value | 0) !== value) throw tooLarge(column);
      target[at + k] = value;
    }
  };
}

function smallIntegers(bytes: Uint8Array, bitWidth: 8 | 16, isSigned: boolean): ArrayLike<number> {
  if (bitWidth === 8) {
    return isSigned ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
  }
  const { buffer, byteOffset, length } = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return isSigned ? new Int16Array(buffer, byteOffset, length >> 1) : new Uint16Array(buffer, byteOffset, length >> 1);
}
