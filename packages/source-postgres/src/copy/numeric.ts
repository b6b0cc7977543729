import type { FixedColumn } from '@fjord/core/arrow';
import type { Rejections } from './copy-column.ts';
import type { FieldRun } from './fields.ts';

/** The sign field of a numeric (PostgreSQL, numeric.c): below NaN it is an ordinary number. */
const NEGATIVE = 0x4000;
const NAN = 0xc000;

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

type Large = { digits: number; exponent: number; sign: number };

function largeValue(view: DataView, at: number, { digits, exponent, sign }: Large): bigint {
  let value = 0n;
  for (let digit = 0; digit < digits; digit++) value = value * 10_000n + BigInt(view.getInt16(at + 8 + 2 * digit));
  const scaled = exponent >= 0 ? value * 10n ** BigInt(exponent) : value / 10n ** BigInt(-exponent);
  return sign === NEGATIVE ? -scaled : scaled;
}

function writeLarge(words: Int32Array, row: number, value: bigint): void {
  for (let word = 0; word < 4; word++) {
    words[4 * row + word] = Number(BigInt.asIntN(32, value >> BigInt(32 * word)));
  }
}
