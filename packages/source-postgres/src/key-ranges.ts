import type { KeyColumn, KeyRange, KeyValue } from './chunk-layout.ts';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';
import type { Relation } from './relations.ts';

/** More values would make the state large: it goes into the table's metadata with every commit. */
const MAX_BOUNDS = 500;
const MAX_BOUNDS_CHARACTERS = 32 * 1024;
/** Pages to sample for each unit: the pieces then differ by about half of their size, which chunks of several units even out. */
const PAGES_PER_UNIT = 8;

/** The columns of a table's primary key, or else of the unique index over the fewest columns that are never null: each row has a place of its own. */
const KEY = `
  SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS "typeName"
  FROM (
    SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key
    FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS n
        WHERE n.attrelid = i.indrelid AND n.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) AND NOT n.attnotnull
      )
    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1
  ) AS k, pg_catalog.unnest(k.key) WITH ORDINALITY AS c (number, place)
  JOIN pg_catalog.pg_attribute AS a ON a.attnum = c.number
  WHERE a.attrelid = k.indrelid
  ORDER BY c.place`;

/** The key that a table's rows can be told apart by; empty if there is none. */
export function findKey(connection: Connection, table: number): Promise<KeyColumn[]> {
  return connection.query<KeyColumn>(KEY, [table]);
}

/** How many units a table of so many bytes is cut into by key. */
export function countKeyUnits(bytes: number, unitBytes: number): number {
  return Math.max(1, Math.min(Math.ceil(bytes / unitBytes), MAX_BOUNDS + 1));
}

export type BoundsRequest = { key: KeyColumn[]; pages: number; units: number };

/** Key values that cut a table into about equal units, from a sample of its pages. The server compares, so any type and collation will do. */
export async function sampleBounds(
  connection: Connection,
  relation: Relation,
  { key, pages, units }: BoundsRequest,
): Promise<KeyValue[]> {
  if (units <= 1) return [];
  const percent = Math.min(100, (100 * units * PAGES_PER_UNIT) / Math.max(pages, 1));
  const sample = `ONLY ${relation.name} TABLESAMPLE SYSTEM (${percent}) REPEATABLE (0)`;
  const bounds = await cutEvenly(connection, { key, from: sample, condition: 'true', pieces: units });
  const size = bounds.reduce((sum, value) => sum + JSON.stringify(value).length, 0);
  const step = Math.ceil(size / MAX_BOUNDS_CHARACTERS);
  return step > 1 ? bounds.filter((_, index) => index % step === step - 1) : bounds;
}

type IncrementBounds = { key: KeyColumn[]; condition: string; bytes: number; unitBytes: number };

/** Cursor values that cut what is new in a table into units, going by how many rows there are of either. */
export async function boundsOfIncrement(
  connection: Connection,
  relation: Relation,
  { key, condition, bytes, unitBytes }: IncrementBounds,
): Promise<KeyValue[]> {
  const from = `ONLY ${relation.name}`;
  const [row] = await connection.query<{ share: number }>(
    `SELECT count(*) / greatest((SELECT c.reltuples FROM pg_catalog.pg_class AS c WHERE c.oid = $1), count(*), 1)::float8 AS share
     FROM ${from} WHERE ${condition}`,
    [relation.oid],
  );
  const pieces = countKeyUnits(bytes * (row?.share ?? 0), unitBytes);
  return pieces === 1 ? [] : cutEvenly(connection, { key, from, condition, pieces });
}

/** Cuts a range of keys into pieces of the same number of rows, as the transaction sees them. */
export async function splitKeys(
  connection: Connection,
  range: KeyRange,
  { key, from, pieces }: { key: KeyColumn[]; from: string; pieces: number },
): Promise<KeyRange[]> {
  if (pieces <= 1) return [range];
  const condition = keyConditions(range, key).join(' AND ') || 'true';
  const bounds = await cutEvenly(connection, { key, from, condition, pieces });
  return [...bounds, range.upTo].map((upTo, index) => ({ ...range, after: bounds[index - 1] ?? range.after, upTo }));
}

/** The conditions of a range of keys: a comparison of rows, which an index on the key answers (manual, 9.25.5 Row Constructor Comparison). */
export function keyConditions({ after, upTo }: KeyRange, key: KeyColumn[]): string[] {
  const columns = rowOf(key.map(({ name }) => quoteIdentifier(name)));
  const valueOf = (value: KeyValue) =>
    rowOf(key.map(({ typeName }, index) => `${quoteLiteral(value[index] ?? '')}::${typeName}`));
  return [
    ...(after === undefined ? [] : [`${columns} > ${valueOf(after)}`]),
    ...(upTo === undefined ? [] : [`${columns} <= ${valueOf(upTo)}`]),
  ];
}

type Cut = { key: KeyColumn[]; from: string; condition: string; pieces: number };

async function cutEvenly(connection: Connection, { key, from, condition, pieces }: Cut): Promise<KeyValue[]> {
  const columns = key.map(({ name }) => quoteIdentifier(name));
  const order = columns.join(', ');
  const texts = columns.map((column) => `${column}::pg_catalog.text`).join(', ');
  const rows = await connection.query<{ value: KeyValue }>(
    `SELECT s.value FROM (
       SELECT ARRAY[${texts}] AS value, pg_catalog.row_number() OVER (ORDER BY ${order}) AS n, pg_catalog.count(*) OVER () AS total
       FROM ${from} WHERE ${condition}
     ) AS s
     WHERE s.n < s.total AND s.n * $1::int8 / s.total <> (s.n - 1) * $1::int8 / s.total
     ORDER BY s.n`,
    [pieces],
  );
  return rows.map(({ value }) => value);
}

const rowOf = (items: string[]) => (items.length === 1 ? (items[0] ?? '') : `(${items.join(', ')})`);
