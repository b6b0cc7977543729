import { FEWEST_NUMBERS, orderNumbers } from './radix-order.ts';
import { compareRows, laterLane, type SortKeys } from './sort-keys.ts';

/** Whether the rows of these batches, one behind the other, are in order. */
export function areInOrder(batches: readonly SortKeys[]): boolean {
  let before: SortKeys | undefined;
  for (const batch of batches) {
    if (batch.length === 0) continue;
    if (before && compareRows(before, before.length - 1, batch, 0) > 0) return false;
    for (let row = 1; row < batch.length; row++) if (compareRows(batch, row - 1, batch, row) > 0) return false;
    before = batch;
  }
  return true;
}

/** The rows of these batches in order, by their numbers over all batches; rows that neither must come first stay as they are. */
export function orderRows(batches: readonly SortKeys[]): Int32Array {
  const total = batches.reduce((sum, { length }) => sum + length, 0);
  const [places, rows] = [new Int32Array(total), new Int32Array(total)];
  const first = new Float64Array(total);
  let start = 0;
  for (const [place, { keys, length }] of batches.entries()) {
    places.fill(place, start, start + length);
    if (keys[0]) first.set(keys[0].lanes, start);
    for (let row = 0; row < length; row++) rows[start + row] = row;
    start += length;
  }
  const compare = (a: number, b: number) =>
    compareRows(batches[places[a]!]!, rows[a]!, batches[places[b]!]!, rows[b]!) || a - b;
  if (total < FEWEST_NUMBERS) return Int32Array.from({ length: total }, (_, row) => row).sort(compare);
  const order = orderNumbers(first);
  // Most rows are told apart by the first number alone.
  if (batches.some(({ keys }) => keys.length > 1 || keys[0]?.words || keys[0]?.bytes)) {
    const later = (row: number, depth: number) => laterLane(batches[places[row]!]!, rows[row]!, depth);
    orderEqual(order, (place) => first[order[place]!]!, { compare, later, depth: 1 });
  }
  return order;
}

type Equal = {
  compare: (a: number, b: number) => number;
  later: (row: number, depth: number) => number | undefined;
  depth: number;
};

/** Puts rows in order that their numbers do not tell apart; equal numbers lie side by side. */
function orderEqual(order: Int32Array, numberAt: (place: number) => number, equal: Equal): void {
  for (let start = 0; start < order.length;) {
    const number = numberAt(start);
    let end = start + 1;
    while (end < order.length && numberAt(end) === number) end++;
    if (end - start > 1) orderGroup(order.subarray(start, end), equal);
    start = end;
  }
}

/** Rows that begin alike: by their next bytes if there are many and all have some, else by comparison. */
function orderGroup(group: Int32Array, equal: Equal): void {
  const numbers = group.length < FEWEST_NUMBERS ? undefined : nextNumbers(group, equal);
  if (!numbers) return void group.sort(equal.compare);
  const [order, rows] = [orderNumbers(numbers), group.slice()];
  for (const [at, place] of order.entries()) group[at] = rows[place]!;
  orderEqual(group, (place) => numbers[order[place]!]!, { ...equal, depth: equal.depth + 1 });
}

function nextNumbers(group: Int32Array, { later, depth }: Equal): Float64Array | undefined {
  const numbers = new Float64Array(group.length);
  for (const [at, row] of group.entries()) {
    const number = later(row, depth);
    if (number === undefined) return undefined;
    numbers[at] = number;
  }
  return numbers;
}
