/** Signs of numeric's binary format (PostgreSQL, numeric.c). */
const SIGNS: Record<string, number | undefined> = { NaN: 0xc000, Infinity: 0xd000, '-Infinity': 0xf000 };
const NEGATIVE = 0x4000;
/** Number of digits, weight, sign and scale, 16 bits each. */
const HEADER_BYTES = 8;

/** A numeric as numeric_send writes it: after the header digits to base 10,000. */
export function writeNumeric(text: string): Uint8Array {
  const special = SIGNS[text];
  if (special !== undefined) return numericBytes([], { weight: 0, sign: special, scale: 0 });
  const isNegative = text.startsWith('-');
  const [whole = '', fraction = ''] = (isNegative ? text.slice(1) : text).split('.');
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0');
  const digits = (left + fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0')).match(/\d{4}/g)?.map(Number) ?? [];
  let weight = left.length / 4 - 1;
  while (digits[0] === 0) {
    digits.shift();
    weight -= 1;
  }
  while (digits.at(-1) === 0) digits.pop();
  return numericBytes(digits, { weight, sign: isNegative ? NEGATIVE : 0, scale: fraction.length });
}

type NumericHead = { weight: number; sign: number; scale: number };

function numericBytes(digits: number[], { weight, sign, scale }: NumericHead): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * digits.length);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, digits.length);
  view.setInt16(2, digits.length === 0 ? 0 : weight);
  view.setUint16(4, sign);
  view.setUint16(6, scale);
  for (const [index, digit] of digits.entries()) view.setInt16(HEADER_BYTES + 2 * index, digit);
  return bytes;
}
