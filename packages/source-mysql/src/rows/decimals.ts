import type { FixedColumn } from '@fjord/core/arrow';
import type { Rejections } from '@fjord/replication';
import type { FieldRun } from './fields.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
/** So many digits a double holds exactly. */
const EXACT_DIGITS = 15;
const TWO_32 = 4_294_967_296;
/** The precision of the decimals that wider ones become. */
const PRECISION = 38;
const GREATEST = 10n ** BigInt(PRECISION) - 1n;

/**
 * Decimals come as text with all digits of their scale (also within the binary protocol); they become 16 bytes, two's complement, little-endian,
 * scaled by 10^scale.
 */
export function decodeDecimals({ fields, field, rows, base }: FieldRun, column: FixedColumn): void {
  const { bytes, offsets, lengths, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) {
      column.nullCount++;
      continue;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    const end = at + lengths[o]!;
    const isNegative = bytes[at] === MINUS;
    if (end - at > EXACT_DIGITS) {
      writeLarge(words, row, digitsOf(bytes, at, end));
      continue;
    }
    let value = 0;
    for (let k = isNegative ? at + 1 : at; k < end; k++) {
      if (bytes[k] !== POINT) value = value * 10 + bytes[k]! - ZERO;
    }
    writeSmall(words, row, isNegative ? -value : value);
  }
}

/**
 * Decimals of more than 38 digits. What a decimal of 38 cannot hold exactly has a nearest one that it can: rounded half away from zero, as
 * MySQL rounds, and at most the greatest.
 */
export function decodeWideDecimals(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  { scale, rejections }: { scale: number; rejections: Rejections },
): void {
  const { bytes, offsets, lengths, stride } = fields;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    const fitted = at < 0 ? undefined : fit(bytes.toString('latin1', at, at + lengths[o]!), scale);
    if (fitted && (fitted.isExact || rejections.judge('has a nearest value') === 'clamp')) {
      column.setValid(row);
      writeLarge(column.words, row, fitted.value);
    } else column.nullCount++;
  }
}

/** The scaled decimal nearest to a number's text. */
function fit(text: string, scale: number): { value: bigint; isExact: boolean } {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const kept = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
  const rest = fraction.slice(scale);
  const rounded = kept + (rest >= '5' ? 1n : 0n);
  const magnitude = rounded > GREATEST ? GREATEST : rounded;
  const isExact = rounded <= GREATEST && /^0*$/.test(rest);
  return { value: text.startsWith('-') ? -magnitude : magnitude, isExact };
}

function digitsOf(bytes: Buffer, at: number, end: number): bigint {
  return BigInt(bytes.toString('latin1', at, end).replace('.', ''));
}

function writeSmall(words: Int32Array, row: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  const extension = value < 0 ? -1 : 0;
  words[4 * row] = value - high * TWO_32;
  words[4 * row + 1] = high;
  words[4 * row + 2] = extension;
  words[4 * row + 3] = extension;
}

function writeLarge(words: Int32Array, row: number, value: bigint): void {
  for (let word = 0; word < 4; word++) {
    words[4 * row + word] = Number(BigInt.asIntN(32, value >> BigInt(32 * word)));
  }
}
