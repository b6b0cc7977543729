const DIGITS = 1 << 16;
const SIGN = 0x8000_0000;
/** With fewer numbers than this a sort by comparison takes less than counting digits. */
export const FEWEST_NUMBERS = 4096;

/** The places of numbers in ascending order, equal ones as they stand: by counting the digits of their bits. No number is NaN. */
export function orderNumbers(numbers: Float64Array): Int32Array {
  const [low, high] = orderedBits(numbers);
  let order = Int32Array.from({ length: numbers.length }, (_, place) => place);
  let spare = new Int32Array(numbers.length);
  for (const [words, shift] of [
    [low, 0],
    [low, 16],
    [high, 0],
    [high, 16],
  ] as const) {
    if (sortByDigit(words, shift, { order, into: spare })) [order, spare] = [spare, order];
  }
  return order;
}

/** The bits of doubles as unsigned integers in the same order (IEEE 754: sign and magnitude). */
function orderedBits(numbers: Float64Array): [low: Uint32Array, high: Uint32Array] {
  const [low, high] = [new Uint32Array(numbers.length), new Uint32Array(numbers.length)];
  const value = new Float64Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let place = 0; place < numbers.length; place++) {
    // Zero has two forms, which are equal.
    value[0] = numbers[place]! + 0;
    const isNegative = (bits[1]! & SIGN) !== 0;
    low[place] = isNegative ? ~bits[0]! : bits[0]!;
    high[place] = isNegative ? ~bits[1]! : bits[1]! ^ SIGN;
  }
  return [low, high];
}

/** One stable pass; false if all have the same digit. */
function sortByDigit(
  words: Uint32Array,
  shift: number,
  { order, into }: { order: Int32Array; into: Int32Array },
): boolean {
  const counts = new Uint32Array(DIGITS);
  for (const word of words) counts[(word >>> shift) & (DIGITS - 1)]! += 1;
  if (counts[((words[0] ?? 0) >>> shift) & (DIGITS - 1)] === words.length) return false;
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = counts[digit]!;
    counts[digit] = start;
    start += count;
  }
  for (const place of order) into[counts[(words[place]! >>> shift) & (DIGITS - 1)]!++] = place;
  return true;
}
