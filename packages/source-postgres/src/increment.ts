import { ConnectorError, type SelectedStream } from '@fjord/core';
import { fits, type Static, Type } from '@fjord/core/schema';
import type { KeyColumn } from './chunk-layout.ts';
import type { Connection } from './connection.ts';
import type { CopyQuery } from './copy-query.ts';
import { quoteIdentifier, quoteLiteral } from './quoting.ts';
import type { StreamColumn } from './stream-columns.ts';

/** Above this many rows at the boundary only those are told apart one by one that are younger than the oldest running transaction: the state must stay small. */
const MAX_HASHES = 5_000;

/**
 * Where an increment ends and the next one begins: at the cursor value `from` (null: nothing had one yet). Of the rows from there on
 * that were read already it holds the hashes, each with its number of rows. If they were too many, the older ones are known by their
 * transaction: all of this server below `seenBefore` had ended, so that their rows were seen.
 */
const BoundarySchema = Type.Object({
  from: Type.Union([Type.Array(Type.String()), Type.Null()]),
  hashes: Type.Array(Type.Tuple([Type.String(), Type.Integer()])),
  seenBefore: Type.Optional(Type.Object({ transaction: Type.String(), server: Type.String() })),
});
type BoundaryValue = Static<typeof BoundarySchema>;

const TIMES = new Set(['date', 'timestamp without time zone', 'timestamp with time zone']);

type CursorColumn = KeyColumn & { isIndexed: boolean };

const CURSOR = `
  SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, NULL) AS "typeName",
         EXISTS (SELECT FROM pg_catalog.pg_index AS i
                 WHERE i.indrelid = a.attrelid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum) AS "isIndexed"
  FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = $1 AND a.attname = ANY ($2) AND NOT a.attisdropped`;

/** The cursor of an incremental stream: its columns as expressions, and their types. */
export type Cursor = {
  columns: KeyColumn[];
  expressions: string[];
  isTime: boolean;
  /** An index begins with the cursor, so that an increment need not read the whole table. */
  isIndexed: boolean;
};

/** Finds an incremental stream's cursor in its table; `source_object_missing` if a column is gone. */
export async function loadCursor(connection: Connection, stream: SelectedStream, table: number): Promise<Cursor> {
  const { cursor = [], fallback } = stream.incremental ?? {};
  const names = fallback === undefined ? cursor : [...cursor, fallback];
  const found = await connection.query<CursorColumn>(CURSOR, [table, names]);
  const columns = names.map((name) => {
    const column = found.find((other) => other.name === name);
    if (column) return column;
    const message = `${stream.stream} has no column "${name}" for its cursor.`;
    throw new ConnectorError('source_object_missing', message, { stream: stream.stream });
  });
  const own = columns.slice(0, cursor.length);
  const expressions =
    fallback === undefined
      ? own.map(({ name }) => quoteIdentifier(name))
      : [`coalesce(${columns.map(({ name }) => quoteIdentifier(name)).join(', ')})`];
  return {
    columns: own.map(({ name, typeName }) => ({ name, typeName })),
    expressions,
    isTime: TIMES.has(own[0]?.typeName ?? ''),
    isIndexed: fallback === undefined && own[0]?.isIndexed === true,
  };
}

/** The condition that a row's cursor is not below where the boundary says; rows without a cursor never meet it. */
export function sinceCondition({ expressions, columns }: Cursor, since: unknown): string {
  const { from } = parseBoundary(since);
  if (from === null) return expressions.map((expression) => `${expression} IS NOT NULL`).join(' AND ');
  const compared = expressions.slice(0, from.length);
  const values = compared.map((_, index) => valueOf(from[index] ?? '', columns[index]));
  return `(${compared.join(', ')}) >= (${values.join(', ')})`;
}

type IncrementParts = {
  cursor: Cursor;
  /** The stream's table or view as an item of FROM. */
  from: string;
  columns: StreamColumn[];
  since: unknown;
  /** What a row must meet to be one of the stream's: others are not read, so they must not count as read. */
  filter: string[];
  serverIdentity: string;
};

/** One increment of a stream, or its first load, within one transaction: what to leave out, and where the next one begins. */
export class Increment {
  readonly #connection: Connection;
  readonly #stream: SelectedStream;
  readonly #parts: IncrementParts;
  readonly #since: BoundaryValue | undefined;

  private constructor(connection: Connection, stream: SelectedStream, parts: IncrementParts) {
    this.#connection = connection;
    this.#stream = stream;
    this.#parts = parts;
    this.#since = parts.since === undefined ? undefined : parseBoundary(parts.since);
  }

  static async open(
    connection: Connection,
    stream: SelectedStream,
    { table, ...parts }: Omit<IncrementParts, 'cursor'> & { table: number },
  ): Promise<Increment> {
    const cursor = await loadCursor(connection, stream, table);
    if (stream.incremental?.lookbackSeconds !== undefined && !cursor.isTime) {
      const message = `The cursor of ${stream.stream} is no date or time, so that \`lookbackSeconds\` means nothing.`;
      throw new ConnectorError('config_invalid', message, { stream: stream.stream });
    }
    return new Increment(connection, stream, { ...parts, cursor });
  }

  /** What a row must meet to be new; nothing for the first load. */
  conditions(): string[] {
    const since = this.#since;
    if (!since) return [];
    const { hashes } = since;
    const known = hashes.length === 0 ? [] : [`${this.#hash()} <> ALL (${hashArray(hashes)})`];
    return [sinceCondition(this.#parts.cursor, since), ...this.#notSeenBefore(), ...known];
  }

  /** Rows equal in every column have one hash: those beyond the number that was read before are new as well. */
  furtherCopies(): CopyQuery[] {
    const { columns, from, cursor } = this.#parts;
    const { hashes = [] } = this.#since ?? {};
    const selected = new Set(columns.map(({ column }) => column.name));
    const { primaryKey } = this.#stream;
    if (hashes.length === 0 || (primaryKey.length > 0 && primaryKey.every((name) => selected.has(name)))) return [];
    const counts = `'{${hashes.map(([, count]) => count).join(',')}}'::pg_catalog.int8[]`;
    const rows = `SELECT *, ${this.#hash()} AS "_fjord_hash", pg_catalog.row_number() OVER (PARTITION BY ${this.#hash()}) AS "_fjord_copy"
      FROM ${from} WHERE ${[sinceCondition(cursor, this.#since), ...this.#notSeenBefore(), ...this.#filter()].join(' AND ')}`;
    const known = `ROWS FROM (pg_catalog.unnest(${hashArray(hashes)}), pg_catalog.unnest(${counts})) AS k ("_fjord_known", "_fjord_count")`;
    return [
      {
        columns,
        from: `(${rows}) AS r JOIN ${known} ON "_fjord_hash" = "_fjord_known"`,
        conditions: ['"_fjord_copy" > "_fjord_count"'],
      },
    ];
  }

  /** Where the next increment begins, as of this transaction. It never lies before where this one began. */
  async measureBoundary(): Promise<BoundaryValue> {
    const from = await this.#findFrom();
    if (from === null) return { from, hashes: [] };
    const at = sinceCondition(this.#parts.cursor, { from, hashes: [] });
    const hashes = await this.#hashes(at);
    if (hashes) return { from, hashes };
    const [row] = await this.#query<{ oldest: string }>(
      'SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.text AS oldest',
    );
    const transaction = row?.oldest ?? '';
    const younger = await this.#hashes(`${at} AND ${notBefore(transaction)}`).catch(() => undefined);
    if (younger) return { from, hashes: younger, seenBefore: { transaction, server: this.#parts.serverIdentity } };
    const message = `More than ${MAX_HASHES} rows of ${this.#stream.stream} have its newest cursor values.`;
    const help = 'Choose a finer cursor or a shorter `lookbackSeconds`, and end transactions that have run for long.';
    throw new ConnectorError('unsupported', message, { stream: this.#stream.stream, help });
  }

  /** The hashes of the rows that meet a condition, each with its number of rows; undefined if there are too many. */
  async #hashes(condition: string): Promise<BoundaryValue['hashes'] | undefined> {
    const rows = await this.#query<{ hash: string; count: number }>(
      `SELECT h.hash::pg_catalog.text AS hash, pg_catalog.count(*)::int4 AS count
       FROM (SELECT ${this.#hash()} AS hash FROM ${this.#parts.from} WHERE ${[condition, ...this.#filter()].join(' AND ')}) AS h
       GROUP BY h.hash LIMIT ${MAX_HASHES + 1}`,
    );
    return rows.length > MAX_HASHES ? undefined : rows.map(({ hash, count }) => [hash, count]);
  }

  /** Transactions of another server, a restored one, say nothing of this one's: then rows may rather come twice than be lost. */
  #notSeenBefore(): string[] {
    const { seenBefore } = this.#since ?? {};
    return seenBefore?.server === this.#parts.serverIdentity ? [notBefore(seenBefore.transaction)] : [];
  }

  /** The greatest cursor value that time can still go beyond, less the lookback. */
  async #findFrom(): Promise<BoundaryValue['from']> {
    const { cursor, from: table } = this.#parts;
    const before = this.#since?.from ?? null;
    const { expressions, columns } = cursor;
    const lookback = this.#stream.incremental?.lookbackSeconds;
    const [first = '', ...others] = expressions;
    const back = `(${first} - pg_catalog.make_interval(secs => ${lookback ?? 0}))::${columns[0]?.typeName}`;
    const values = lookback === undefined ? [first, ...others] : [back];
    const conditions = [
      ...expressions.map((expression) => `${expression} IS NOT NULL`),
      ...(cursor.isTime ? [`pg_catalog.isfinite(${first})`] : []),
      ...(before === null ? [] : [sinceCondition(cursor, { from: before, hashes: [] })]),
    ];
    const [row] = await this.#query<{ value: string[] }>(
      `SELECT ARRAY[${values.map((value) => `(${value})::pg_catalog.text`).join(', ')}] AS value
       FROM ${table} WHERE ${conditions.join(' AND ')} ORDER BY ${expressions.map((e) => `${e} DESC`).join(', ')} LIMIT 1`,
    );
    const found = row?.value ?? null;
    if (found === null || before === null) return found ?? before;
    return (await this.#isBelow(found, before)) ? before : found;
  }

  async #isBelow(a: string[], b: string[]): Promise<boolean> {
    const { columns } = this.#parts.cursor;
    const length = Math.min(a.length, b.length);
    const rowOf = (values: string[]) => values.slice(0, length).map((value, i) => valueOf(value, columns[i]));
    const [row] = await this.#query<{ isBelow: boolean }>(
      `SELECT (${rowOf(a).join(', ')}) < (${rowOf(b).join(', ')}) AS "isBelow"`,
    );
    return row?.isBelow ?? false;
  }

  #filter(): string[] {
    return this.#parts.filter.map((condition) => `(${condition})`);
  }

  /** 64 bits of all that is read of a row. */
  #hash(): string {
    const names = this.#parts.columns.map(({ column }) => quoteIdentifier(column.name)).join(', ');
    return `pg_catalog.hashtextextended((ROW(${names})::pg_catalog.text) COLLATE "C", 0)`;
  }

  #query<Row extends Record<string, unknown>>(sql: string): Promise<Row[]> {
    return this.#connection.query<Row>(sql, [], this.#stream.stream);
  }
}

/** The transaction that made a row, with the epoch that its 32 bits lack: it lies less than 2^32 before the next one. */
const NEXT = 'pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::int8';
const XMIN = `(${NEXT} - ((${NEXT} - xmin::pg_catalog.text::int8) & 4294967295))::pg_catalog.text::pg_catalog.xid8`;

const notBefore = (transaction: string) => `${XMIN} >= ${quoteLiteral(transaction)}::pg_catalog.xid8`;

const hashArray = (hashes: [string, number][]) => `'{${hashes.map(([hash]) => hash).join(',')}}'::pg_catalog.int8[]`;

const valueOf = (value: string, column: KeyColumn | undefined) =>
  `${quoteLiteral(value)}::${column?.typeName ?? 'pg_catalog.text'}`;

function parseBoundary(boundary: unknown): BoundaryValue {
  if (fits(BoundarySchema, boundary)) return boundary;
  throw new ConnectorError('state_conflict', 'The cursor of the last increment was written by another version.');
}
