import { ConnectorError, type SelectedStream } from '@fjord/core';
import { fits, type Static, Type } from '@fjord/core/schema';
import type { KeyColumn } from './chunk-layout.ts';
import { selectExpression } from './column-types.ts';
import type { Connection, Row } from './connection.ts';
import { constant, keyText, toKeyColumn } from './key-ranges.ts';
import { quoteIdentifier } from './quoting.ts';
import { type RowQuery, whereClause } from './row-query.ts';
import type { StreamColumn } from './stream-columns.ts';
import { loadColumns, tableCondition } from './table-columns.ts';
import type { TypeOptions } from './config.ts';

/** More rows at the boundary are not told apart one by one: the state must stay small. */
const MAX_HASHES = 5_000;

/**
 * Where an increment ends and the next one begins: at the cursor value `from` (null: nothing had one yet). Of the rows from there on
 * that were read already it holds the hashes, each with its number of rows.
 */
const BoundarySchema = Type.Object({
  from: Type.Union([Type.Array(Type.String()), Type.Null()]),
  hashes: Type.Array(Type.Tuple([Type.String(), Type.Integer()])),
});
type BoundaryValue = Static<typeof BoundarySchema>;

const TIMES = new Set(['date', 'datetime', 'timestamp']);

/** The cursor of an incremental stream: its columns, and the expressions that are compared. */
type Cursor = { columns: KeyColumn[]; expressions: string[]; isTime: boolean };

type IncrementParts = {
  cursor: Cursor;
  from: string;
  columns: StreamColumn[];
  /** The boundary of the last increment; undefined for the first load. */
  since: BoundaryValue | undefined;
  /** What a row must meet to be one of the stream's: others are not read, so they must not count as read. */
  filter: string[];
};

/** One increment of a stream, or its first load, within one transaction: what to leave out, and where the next one begins. */
export class Increment {
  readonly #connection: Connection;
  readonly #stream: SelectedStream;
  readonly #parts: IncrementParts;

  private constructor(connection: Connection, stream: SelectedStream, parts: IncrementParts) {
    this.#connection = connection;
    this.#stream = stream;
    this.#parts = parts;
  }

  static async open(
    connection: Connection,
    stream: SelectedStream,
    { types, since, ...parts }: Omit<IncrementParts, 'cursor' | 'since'> & { types: TypeOptions; since: unknown },
  ): Promise<Increment> {
    const cursor = await loadCursor(connection, stream, types);
    if (stream.incremental?.lookbackSeconds !== undefined && !cursor.isTime) {
      const message = `The cursor of ${stream.stream} is no date or time, so that \`lookbackSeconds\` means nothing.`;
      throw new ConnectorError('config_invalid', message, { stream: stream.stream });
    }
    const boundary = since === undefined ? undefined : parseBoundary(since);
    return new Increment(connection, stream, { ...parts, cursor, since: boundary });
  }

  /** What a row must meet to be new; nothing for the first load. */
  conditions(): string[] {
    const { since, cursor } = this.#parts;
    if (!since) return [];
    const known = since.hashes.map(([hash]) => hashConstant(hash));
    return [
      sinceCondition(cursor, since.from),
      ...(known.length === 0 ? [] : [`${this.#hash()} NOT IN (${known.join(', ')})`]),
    ];
  }

  /** Rows equal in every column have one hash: those beyond the number that was read before are new as well. */
  furtherCopies(): RowQuery[] {
    const { columns, from, cursor, since, filter } = this.#parts;
    const selected = new Set(columns.map(({ column }) => column.name));
    const { primaryKey } = this.#stream;
    const areDistinct = primaryKey.length > 0 && primaryKey.every((name) => selected.has(name));
    if (!since || since.hashes.length === 0 || areDistinct) return [];
    const names = columns.map(({ column }) => quoteIdentifier(column.name)).join(', ');
    const hash = this.#hash();
    const rows = `SELECT ${names}, ${hash} AS \`_fjord_hash\`, ROW_NUMBER() OVER (PARTITION BY ${hash}) AS \`_fjord_copy\`
      FROM ${from}${whereClause([sinceCondition(cursor, since.from), ...filter])}`;
    const known = since.hashes.map(([value, count]) => `WHEN ${hashConstant(value)} THEN ${count}`).join(' ');
    const conditions = [`\`_fjord_copy\` > CASE \`_fjord_hash\` ${known} END`];
    return [{ columns, from: `(${rows}) AS r`, index: undefined, conditions }];
  }

  /** Where the next increment begins, as of this transaction. It never lies before where this one began. */
  async measureBoundary(): Promise<BoundaryValue> {
    const from = await this.#findFrom();
    if (from === null) return { from, hashes: [] };
    const { filter, cursor } = this.#parts;
    const where = whereClause([sinceCondition(cursor, from), ...filter]);
    const rows = await this.#query(
      `SELECT h.hash, COUNT(*) AS number FROM (SELECT ${this.#hash()} AS hash FROM ${this.#parts.from}${where}) AS h
       GROUP BY h.hash LIMIT ${MAX_HASHES + 1}`,
    );
    if (rows.length <= MAX_HASHES) {
      return { from, hashes: rows.map(({ hash, number }) => [String(hash), Number(number)]) };
    }
    const message = `More than ${MAX_HASHES} rows of ${this.#stream.stream} have its newest cursor values.`;
    const help = 'Choose a finer cursor or a shorter `lookbackSeconds`.';
    throw new ConnectorError('unsupported', message, { stream: this.#stream.stream, help });
  }

  /** The greatest cursor value, less the lookback. */
  async #findFrom(): Promise<BoundaryValue['from']> {
    const { cursor, from: table, since, filter } = this.#parts;
    const { expressions, columns } = cursor;
    const before = since?.from ?? null;
    const lookback = this.#stream.incremental?.lookbackSeconds;
    const [first = '', ...others] = expressions;
    const forms = columns.map(({ form }) => form);
    const values =
      lookback === undefined
        ? [first, ...others].map((expression, index) => keyText(expression, forms[index] ?? 'plain'))
        : [`CAST((${first} - INTERVAL ${lookback} SECOND) AS CHAR)`];
    const conditions = [
      ...expressions.map((expression) => `${expression} IS NOT NULL`),
      ...(before === null ? [] : [sinceCondition(cursor, before)]),
      ...filter,
    ];
    const selected = values.map((value, index) => `${value} AS v${index}`).join(', ');
    const order = expressions.map((expression) => `${expression} DESC`).join(', ');
    const [row] = await this.#query(
      `SELECT ${selected} FROM ${table}${whereClause(conditions)} ORDER BY ${order} LIMIT 1`,
    );
    if (!row) return before;
    const found = values.map((_, index) => String(row[`v${index}`]));
    return before !== null && (await this.#isBelow(found, before)) ? before : found;
  }

  /** With a lookback what was found may lie before where this increment began. */
  async #isBelow([found = '']: string[], [before = '']: string[]): Promise<boolean> {
    if (this.#stream.incremental?.lookbackSeconds === undefined) return false;
    const [row] = await this.#query(
      `SELECT CAST(${time(found)} AS DATETIME(6)) < CAST(${time(before)} AS DATETIME(6)) AS isBelow`,
    );
    return Number(row?.['isBelow']) === 1;
  }

  /** 128 bits of all that is read of a row. Each column's own hash first: a row may be longer than the server lets a text be. */
  #hash(): string {
    const hashes = this.#parts.columns.map((column) => `IFNULL(SHA2(${exactText(column)}, 256), '-')`);
    return `LEFT(SHA2(CONCAT_WS(',', ${hashes.join(', ')}), 256), 32)`;
  }

  #query(sql: string): Promise<Row[]> {
    return this.#connection.query(sql, this.#stream.stream);
  }
}

/** The condition that a row's cursor is not below where the boundary says; rows without a cursor never meet it. */
function sinceCondition({ expressions, columns }: Cursor, from: BoundaryValue['from']): string {
  if (from === null) return expressions.map((expression) => `${expression} IS NOT NULL`).join(' AND ');
  const compared = expressions.slice(0, from.length);
  const values = from.map((value, index) => constant(value, columns[index]?.form ?? 'plain'));
  const [only] = compared;
  return compared.length === 1 ? `${only} >= ${values[0]}` : `(${compared.join(', ')}) >= (${values.join(', ')})`;
}

async function loadCursor(connection: Connection, stream: SelectedStream, types: TypeOptions): Promise<Cursor> {
  const { cursor = [], fallback } = stream.incremental ?? {};
  const loaded = (await loadColumns(connection, tableCondition(stream), types)).get(stream.stream) ?? [];
  const found = [...cursor, ...(fallback === undefined ? [] : [fallback])].map((name) => {
    const column = loaded.find((other) => other.column === name);
    const key = column && toKeyColumn({ name, type: column.name, fullType: column.fullType });
    if (column && key) return { key, type: column.name };
    const what = column
      ? `The column "${name}" of ${stream.stream} has no order that a cursor could follow.`
      : `${stream.stream} has no column "${name}" for its cursor.`;
    throw new ConnectorError(column ? 'unsupported' : 'source_object_missing', what, { stream: stream.stream });
  });
  const names = found.map(({ key }) => quoteIdentifier(key.name));
  return {
    columns: found.slice(0, cursor.length).map(({ key }) => key),
    expressions: fallback === undefined ? names : [`COALESCE(${names.join(', ')})`],
    isTime: TIMES.has(found[0]?.type ?? ''),
  };
}

/** A text that tells all values of a column apart: that of a float would have too few digits. */
function exactText({ column, mapping }: StreamColumn): string {
  const value = selectExpression(column, mapping);
  if (mapping.wire === 'float4') return `CAST((${value} + 0e0) AS CHAR)`;
  return mapping.wire.startsWith('bit') || mapping.wire === 'wide bits' ? `CAST((${value} + 0) AS CHAR)` : value;
}

function hashConstant(hash: string): string {
  if (/^[0-9a-f]{32}$/.test(hash)) return `'${hash}'`;
  throw new Error('the hash of a row is none');
}

const time = (text: string) => constant(text, 'plain');

function parseBoundary(boundary: unknown): BoundaryValue {
  if (fits(BoundarySchema, boundary)) return boundary;
  throw new ConnectorError('state_conflict', 'The cursor of the last increment was written by another version.');
}
