/** Bytes of keys by their values: key `i` is `heap` from `ends[i]` to `ends[i + 1]`. */
export type KeyHeap = { heap: Uint8Array; ends: Uint32Array };

/** Keys sorted by 64 bits of hash, each with a value: the position of its row, or its number in a table of keys. */
export type SortedKeys = {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly values: Uint32Array;
  /** What tells keys of equal hash apart, by value; absent where the hash is the key. */
  readonly bytes: KeyHeap | undefined;
};

/** Below this share of the other side, keys are looked up one by one instead of merged. */
const FEW = 1 / 16;

/** Sorts keys by their hashes. Hashes are spread evenly: most keys are in their place after one distribution. */
export function sortKeys({ high, low, values, bytes }: SortedKeys): SortedKeys {
  const count = values.length;
  const shift = Math.max(0, Math.clz32(Math.max(count, 2) - 1));
  const starts = new Uint32Array(2 ** (32 - shift) + 1);
  for (const hash of high) starts[(hash >>> shift) + 1]! += 1;
  for (let bucket = 1; bucket < starts.length; bucket++) starts[bucket]! += starts[bucket - 1]!;
  const sorted = {
    high: new Uint32Array(count),
    low: new Uint32Array(count),
    values: new Uint32Array(count),
    bytes,
  };
  for (let index = 0; index < count; index++) {
    const bucket = high[index]! >>> shift;
    const to = starts[bucket]!;
    starts[bucket] = to + 1;
    sorted.high[to] = high[index]!;
    sorted.low[to] = low[index]!;
    sorted.values[to] = values[index]!;
  }
  insertionSort(sorted);
  return sorted;
}

function insertionSort({ high, low, values }: SortedKeys): void {
  for (let index = 1; index < values.length; index++) {
    const [keyHigh, keyLow, value] = [high[index]!, low[index]!, values[index]!];
    let to = index;
    while (to > 0 && isAfter(high[to - 1]!, low[to - 1]!, keyHigh, keyLow)) {
      high[to] = high[to - 1]!;
      low[to] = low[to - 1]!;
      values[to] = values[to - 1]!;
      to--;
    }
    if (to === index) continue;
    high[to] = keyHigh;
    low[to] = keyLow;
    values[to] = value;
  }
}

function isAfter(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high > otherHigh || (high === otherHigh && low > otherLow);
}

/** Calls `found` for each pair of equal keys, with their values. */
export function matchKeys(
  wanted: SortedKeys,
  index: SortedKeys,
  found: (wanted: number, inIndex: number) => void,
): void {
  const count = index.values.length;
  const isFew = wanted.values.length < count * FEW;
  let at = 0;
  for (let key = 0; key < wanted.values.length && at < count; key++) {
    const [high, low] = [wanted.high[key]!, wanted.low[key]!];
    if (isFew) at = seek(index, at, high);
    while (at < count && isAfter(high, low, index.high[at]!, index.low[at]!)) at++;
    for (let same = at; same < count && index.high[same] === high && index.low[same] === low; same++) {
      const [value, other] = [wanted.values[key]!, index.values[same]!];
      if (hasSameBytes(wanted.bytes, value, index.bytes, other)) found(value, other);
    }
  }
}

/** A place at or before the first key of the hash's upper half, from which few steps lead to it. */
function seek({ high }: SortedKeys, from: number, hash: number): number {
  let [start, end] = [from, high.length];
  while (end - start > 8) {
    const middle = (start + end) >>> 1;
    if (high[middle]! < hash) start = middle;
    else end = middle;
  }
  return start;
}

function hasSameBytes(a: KeyHeap | undefined, valueOfA: number, b: KeyHeap | undefined, valueOfB: number): boolean {
  if (!a || !b) return a === b;
  const [start, other] = [a.ends[valueOfA]!, b.ends[valueOfB]!];
  const length = a.ends[valueOfA + 1]! - start;
  if (b.ends[valueOfB + 1]! - other !== length) return false;
  for (let at = 0; at < length; at++) if (a.heap[start + at] !== b.heap[other + at]) return false;
  return true;
}
