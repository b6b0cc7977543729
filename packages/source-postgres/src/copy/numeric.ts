import type { FixedColumn } from '@fjord/core/arrow';
import type { FieldRun } from './fields.ts';
import type { Rejections } from '@fjord/replication';

/** The sign field of a numeric (PostgreSQL, numeric.c): below NaN it is an ordinary number. */
const NEGATIVE = 0x4000;
const NAN = 0xc000;
const INFINITY = 0xd000;
const MINUS_INFINITY = 0xf000;
/** The precision of the decimals that numerics without one become. */
const PRECISION = 38;
const GREATEST = 10n ** BigInt(PRECISION) - 1n;

/** Up to here integers in doubles are exact, so that most numerics need no bigint. */
const EXACT = Number.MAX_SAFE_INTEGER;
const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const TWO_32 = 4_294_967_296;

/**
 * numeric_send's form (ndigits, weight, sign, dscale, then digits to base 10,000) into decimals of 16 bytes, two's complement,
 * little-endian, scaled by 10^scale. NaN and infinity follow the policy.
 */
export function decodeNumerics(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  { scale, rejections }: { scale: number; rejections: Rejections },
): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) {
      column.nullCount++;
      continue;
    }
    const sign = view.getUint16(at + 4);
    // A modifier of precision and scale lets NaN through, but no infinity: both have no nearest decimal here.
    if (sign >= NAN) {
      rejections.judge('has none');
      column.nullCount++;
      continue;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    const digits = view.getInt16(at);
    const exponent = 4 * (view.getInt16(at + 2) - digits + 1) + scale;
    const small = digits <= 4 ? smallValue(view, at, { digits, exponent }) : -1;
    if (small < 0) writeLarge(words, row, largeValue(view, at, { digits, exponent, sign }));
    else writeSmall(words, row, sign === NEGATIVE ? -small : small);
  }
}

/** The scaled magnitude as an exact double, or -1 if that cannot hold it. */
function smallValue(view: DataView, at: number, { digits, exponent }: { digits: number; exponent: number }): number {
  let value = 0;
  for (let digit = 0; digit < digits; digit++) value = value * 10_000 + view.getInt16(at + 8 + 2 * digit);
  if (value > EXACT || exponent > 15 || exponent < -15) return -1;
  // Digits beyond the scale are zeros: the division leaves no rest, and so is exact.
  if (exponent < 0) return value / POWERS[-exponent]!;
  const scaled = value * POWERS[exponent]!;
  return scaled > EXACT ? -1 : scaled;
}

function writeSmall(words: Int32Array, row: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  const extension = value < 0 ? -1 : 0;
  words[4 * row] = value - high * TWO_32;
  words[4 * row + 1] = high;
  words[4 * row + 2] = extension;
  words[4 * row + 3] = extension;
}

/**
 * The same for numerics of any size. What a decimal of 38 digits cannot hold exactly has a nearest one that it can: rounded half away
 * from zero, as PostgreSQL rounds, and at most the greatest. NaN alone has none.
 */
export function decodeUnboundedNumerics(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  { scale, rejections }: { scale: number; rejections: Rejections },
): void {
  const { view, offsets, stride } = fields;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    const fitted = view.getInt32(at - 4) < 0 ? undefined : fitNumeric(view, at, scale);
    const isKept = fitted !== undefined && (fitted.isExact || isClamped(fitted, rejections));
    if (isKept && fitted.value !== undefined) {
      column.setValid(row);
      writeLarge(column.words, row, fitted.value);
    } else column.nullCount++;
  }
}

type Fitted = { value: bigint | undefined; isExact: boolean };

function isClamped({ value }: Fitted, rejections: Rejections): boolean {
  return rejections.judge(value === undefined ? 'has none' : 'has a nearest value') === 'clamp';
}

/** The scaled decimal nearest to a numeric: none for NaN. */
function fitNumeric(view: DataView, at: number, scale: number): Fitted {
  const [digits, weight, sign] = [view.getInt16(at), view.getInt16(at + 2), view.getUint16(at + 4)];
  if (sign === NAN) return { value: undefined, isExact: false };
  const isNegative = sign === NEGATIVE || sign === MINUS_INFINITY;
  const signed = (magnitude: bigint) => (isNegative ? -magnitude : magnitude);
  // Before any arithmetic: a numeric may have 131,072 digits before the point, and 16,383 after it.
  const isHuge = digits > 0 && 4 * weight + scale >= PRECISION;
  if (sign === INFINITY || sign === MINUS_INFINITY || isHuge) return { value: signed(GREATEST), isExact: false };
  const exponent = 4 * (weight - digits + 1) + scale;
  const integer = digitsOf(view, at, digits);
  const scaled =
    exponent >= 0 ? { value: integer * 10n ** BigInt(exponent), isExact: true } : round(integer, -exponent);
  if (scaled.value > GREATEST) return { value: signed(GREATEST), isExact: false };
  return { value: signed(scaled.value), isExact: scaled.isExact };
}

/** A magnitude without its last decimal digits, rounded half up. */
function round(magnitude: bigint, digits: number): { value: bigint; isExact: boolean } {
  const unit = 10n ** BigInt(digits);
  const rest = magnitude % unit;
  return { value: magnitude / unit + (2n * rest >= unit ? 1n : 0n), isExact: rest === 0n };
}

type Large = { digits: number; exponent: number; sign: number };

function largeValue(view: DataView, at: number, { digits, exponent, sign }: Large): bigint {
  const value = digitsOf(view, at, digits);
  const scaled = exponent >= 0 ? value * 10n ** BigInt(exponent) : value / 10n ** BigInt(-exponent);
  return sign === NEGATIVE ? -scaled : scaled;
}

/** The digits of a numeric as one integer. */
function digitsOf(view: DataView, at: number, digits: number): bigint {
  let value = 0n;
  for (let digit = 0; digit < digits; digit++) value = value * 10_000n + BigInt(view.getInt16(at + 8 + 2 * digit));
  return value;
}

function writeLarge(words: Int32Array, row: number, value: bigint): void {
  for (let word = 0; word < 4; word++) {
    words[4 * row + word] = Number(BigInt.asIntN(32, value >> BigInt(32 * word)));
  }
}
