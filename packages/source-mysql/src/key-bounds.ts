import type { Key, KeyRange, KeyValue } from './chunk-layout.ts';
import type { Connection, Row } from './connection.ts';
import { keyConditions, keyTexts } from './key-ranges.ts';
import { quoteIdentifier } from './quoting.ts';
import { indexHint, whereClause } from './row-query.ts';

/** More values would make the state large: it goes into the table's metadata with every commit. */
const MAX_BOUNDS = 500;
const MAX_BOUNDS_CHARACTERS = 32 * 1024;
/** Rows to sample for each unit: the pieces then differ by about a fifth of their size, which chunks of several units even out. */
const ROWS_PER_UNIT = 20;
/** How much finer than the units intervals of integers are looked at, so that units made of them differ little. */
const FINENESS = 4;
/** Estimates asked for beyond those that even keys need: where keys are uneven, each halving costs one. */
const EXTRA_ESTIMATES = 512;

/** How many units a table of so many bytes is cut into by key. */
export function countKeyUnits(bytes: number, unitBytes: number): number {
  return Math.max(1, Math.min(Math.ceil(bytes / unitBytes), MAX_BOUNDS + 1));
}

export type BoundsRequest = { key: Key; from: string; range: KeyRange; units: number };

/** Key values that cut a range of a table into about equal units. The server compares, so any collation will do. */
export async function findBounds(connection: Connection, request: BoundsRequest): Promise<KeyValue[]> {
  if (request.units <= 1) return [];
  const [first] = request.key.columns;
  const cut = first?.form === 'integer' ? await bisect(connection, request) : undefined;
  const bounds = cut ?? (await sample(connection, request));
  const size = bounds.reduce((sum, value) => sum + JSON.stringify(value).length, 0);
  const step = Math.ceil(size / MAX_BOUNDS_CHARACTERS);
  return step > 1 ? bounds.filter((_, index) => index % step === step - 1) : bounds;
}

/** Whole numbers from `low` to `high`, and about how many rows have them. */
type Interval = { low: bigint; high: bigint; rows: number };

/**
 * Halves the interval of the first column's values where the index has most rows, by its own estimates (two dives into it each), so that gaps cost
 * nothing and crowded places are cut finely. Undefined where one value alone has more rows than a unit: then more columns must be looked at.
 */
async function bisect(
  connection: Connection,
  { key, from, range, units }: BoundsRequest,
): Promise<KeyValue[] | undefined> {
  const column = quoteIdentifier(key.columns[0]?.name ?? '');
  const within = keyConditions(range, key);
  const [ends] = await connection.query<Row & { low: string | null; high: string | null }>(
    `SELECT CAST(MIN(${column}) AS CHAR) AS low, CAST(MAX(${column}) AS CHAR) AS high FROM ${from}${indexHint(key.index)}${whereClause(within)}`,
  );
  if (!ends || ends.low === null || ends.high === null) return [];
  const estimate = async (low: bigint, high: bigint): Promise<Interval> => {
    const conditions = [...within, `${column} BETWEEN ${low} AND ${high}`];
    return { low, high, rows: await estimateRows(connection, { key, from, conditions }) };
  };
  const intervals = [await estimate(BigInt(ends.low), BigInt(ends.high))];
  const most = (intervals[0]?.rows ?? 0) / (units * FINENESS);
  for (let left = 2 * units * FINENESS + EXTRA_ESTIMATES; left > 0; left -= 2) {
    const index = indexOfLargest(intervals);
    const largest = intervals[index];
    if (!largest || largest.rows <= Math.max(most, 1) || largest.low === largest.high) break;
    const middle = largest.low + (largest.high - largest.low) / 2n;
    intervals.splice(index, 1, await estimate(largest.low, middle), await estimate(middle + 1n, largest.high));
  }
  return joinIntervals(intervals, { units, hasMoreColumns: key.columns.length > 1 });
}

/** The interval with most rows of those that can be halved, or else the first. */
function indexOfLargest(intervals: Interval[]): number {
  let found = 0;
  let rows = -1;
  for (const [index, interval] of intervals.entries()) {
    if (interval.low < interval.high && interval.rows > rows) [found, rows] = [index, interval.rows];
  }
  return found;
}

function joinIntervals(
  intervals: Interval[],
  { units, hasMoreColumns }: { units: number; hasMoreColumns: boolean },
): KeyValue[] | undefined {
  const target = intervals.reduce((sum, { rows }) => sum + rows, 0) / units;
  if (hasMoreColumns && intervals.some(({ low, high, rows }) => low === high && rows > 2 * target)) return undefined;
  const bounds: KeyValue[] = [];
  let gathered = 0;
  for (const { high, rows } of intervals.slice(0, -1)) {
    gathered += rows;
    if (gathered < target) continue;
    bounds.push([String(high)]);
    gathered = 0;
  }
  return bounds;
}

type Estimate = { key: Key; from: string; conditions: string[] };

/**
 * How many rows the server expects under conditions. Under FORCE INDEX MySQL does not look into the index (it would use it anyway), and without it
 * the optimizer may prefer to read all rows: then it says what part of them it expects to be left.
 */
export async function estimateRows(connection: Connection, { key, from, conditions }: Estimate): Promise<number> {
  const hint = connection.facts.isMariaDB ? indexHint(key.index) : ` USE INDEX (${quoteIdentifier(key.index)})`;
  const plan = await connection.query<Row & { rows: number | string | null; filtered?: number | string | null }>(
    `EXPLAIN FORMAT=TRADITIONAL SELECT 1 FROM ${from}${hint}${whereClause(conditions)}`,
  );
  return plan.reduce((sum, { rows, filtered }) => sum + (Number(rows ?? 0) * Number(filtered ?? 100)) / 100, 0);
}

/** Cuts by a random sample of the rows' keys, sorted by the server in the order of the key. */
async function sample(connection: Connection, { key, from, range, units }: BoundsRequest): Promise<KeyValue[]> {
  const conditions = keyConditions(range, key);
  const rows = await estimateRows(connection, { key, from, conditions });
  const share = Math.min(1, (units * ROWS_PER_UNIT) / Math.max(rows, 1));
  const names = key.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const sampled = `SELECT ${names} FROM ${from}${whereClause([...conditions, `RAND() < ${share.toFixed(12)}`])}`;
  const found = await connection.query<Row>(
    `SELECT ${keyTexts(key).join(', ')} FROM (${sampled}) AS s ORDER BY ${names}`,
  );
  const values = found.map((row) => key.columns.map((_, index) => String(row[`k${index}`])));
  const pieces = Math.min(units, values.length);
  const picked = Array.from({ length: Math.max(0, pieces - 1) }, (_, index) => {
    return values[Math.floor(((index + 1) * values.length) / pieces)] ?? [];
  });
  return picked.filter((value, index) => JSON.stringify(value) !== JSON.stringify(picked[index - 1]));
}
