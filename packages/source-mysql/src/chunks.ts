import { ConnectorError } from '@fjord/core';
import type { Boundary, EncodedBatch, ReadChunkRequest, UnitMark, UnrepresentablePolicy } from '@fjord/replication';
import { type ChunkLayout, cutUnits, type KeyRange, parseLayout } from './chunk-layout.ts';
import { renderCondition } from './condition-sql.ts';
import type { TypeOptions } from './config.ts';
import type { Connection } from './connection.ts';
import { serverErrorNumber } from './driver-errors.ts';
import { Increment } from './increment.ts';
import { findBounds } from './key-bounds.ts';
import { keyConditions } from './key-ranges.ts';
import { quoteQualified } from './quoting.ts';
import { type RowQuery, rowStatement } from './row-query.ts';
import { readRows } from './rows/row-reader.ts';
import { loadStreamColumns, outdated, rowColumns, type StreamColumn } from './stream-columns.ts';
import { findTable, placeIdentity } from './table-place.ts';
import { beginTransaction } from './transaction.ts';

export type ReadContext = { unrepresentable: UnrepresentablePolicy; types: TypeOptions; serverIdentity: string };

/** The server ended a statement for its length: MySQL's max_execution_time, MariaDB's max_statement_time. */
const TOO_SLOW = new Set([3024, 1969]);

/**
 * Reads a run of units in a transaction of its own, with a mark after each. At a mark the consumer may stop; after an error, or a stop
 * elsewhere, the connection must not be used again.
 */
export async function* readChunk(
  connection: Connection,
  request: ReadChunkRequest,
  context: ReadContext,
): AsyncGenerator<EncodedBatch | UnitMark | Boundary> {
  const { stream, plan, units } = request;
  const layout = parseLayout(plan.layout, stream.stream);
  // What cannot be cut must be let through however long it takes.
  await beginTransaction(connection, layout.key ? request.maxStatementSeconds : undefined);
  const table = await findTable(connection, stream);
  if (placeIdentity(context.serverIdentity, table) !== plan.identity) throw outdated(stream.stream);
  const reader = await UnitReader.open(connection, { request, context, layout });
  const ranges = cutUnits(layout);
  for (const [index, range] of ranges.slice(...units).entries()) {
    yield* reader.read(range);
    yield { reached: units[0] + index + 1 };
  }
  if (units[1] > ranges.length) {
    yield* reader.finishIncrement();
    yield { reached: units[1] };
  }
  await connection.query('COMMIT');
}

type ReaderParts = { request: ReadChunkRequest; context: ReadContext; layout: ChunkLayout };
type Found = { columns: StreamColumn[]; filter: string[]; from: string; increment: Increment | undefined };

/** Reads ranges of one stream within one transaction. */
class UnitReader {
  readonly #connection: Connection;
  readonly #parts: ReaderParts;
  readonly #found: Found;

  private constructor(connection: Connection, parts: ReaderParts, found: Found) {
    this.#connection = connection;
    this.#parts = parts;
    this.#found = found;
  }

  static async open(connection: Connection, parts: ReaderParts): Promise<UnitReader> {
    const { stream, since } = parts.request;
    const { types } = parts.context;
    const from = quoteQualified(stream.namespace ?? '', stream.name);
    const columns = await loadStreamColumns(connection, stream, types);
    const filter = await loadFilter(connection, parts);
    const increment = stream.incremental
      ? await Increment.open(connection, stream, { from, columns, since, filter, types })
      : undefined;
    return new UnitReader(connection, parts, { columns, filter, from, increment });
  }

  async *read(range: KeyRange): AsyncGenerator<EncodedBatch> {
    const { key } = this.#parts.layout;
    const { columns, from, filter, increment } = this.#found;
    const isNew = increment?.conditions() ?? [];
    for (const piece of key ? await this.#pieces(range) : [undefined]) {
      const within = key && piece ? keyConditions(piece, key) : [];
      // A whole table is best read as it lies.
      const index = within.length === 0 ? undefined : key?.index;
      yield* this.#select({ columns, from, index, conditions: [...within, ...isNew, ...filter] });
    }
  }

  /** What no range holds of an increment, and where the next one begins. */
  async *finishIncrement(): AsyncGenerator<EncodedBatch | Boundary> {
    const { increment } = this.#found;
    if (!increment) return;
    for (const query of increment.furtherCopies()) yield* this.#select(query);
    yield { boundary: await increment.measureBoundary() };
  }

  /** The ranges of the statements that read a unit: one, or several if one took too long. */
  async #pieces(range: KeyRange): Promise<KeyRange[]> {
    const { request, layout } = this.#parts;
    const { pieces: units } = request;
    if (units <= 1 || !layout.key) return [range];
    const bounds = await findBounds(this.#connection, { key: layout.key, from: this.#found.from, range, units });
    return [...bounds, range.upTo].map((upTo, index) => ({ after: bounds[index - 1] ?? range.after, upTo }));
  }

  async *#select(query: RowQuery): AsyncGenerator<EncodedBatch> {
    const { request, context, layout } = this.#parts;
    const { batchBytes, signal, stream, maxStatementSeconds } = request;
    try {
      yield* readRows(this.#connection.client, {
        sql: rowStatement(query),
        columns: rowColumns(query.columns, stream),
        stream: stream.stream,
        unrepresentable: context.unrepresentable,
        batchBytes,
        silenceLimitMs: this.#connection.silenceLimitMs,
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw cause;
      const isLimited = maxStatementSeconds !== undefined && layout.key !== undefined;
      if (isLimited && TOO_SLOW.has(serverErrorNumber(cause) ?? 0)) throw tooSlow(request, cause);
      throw this.#connection.explain(cause, stream.stream);
    }
  }
}

/** What a row must meet to be one of the stream's. */
async function loadFilter(connection: Connection, { request, context }: ReaderParts): Promise<string[]> {
  const { stream } = request;
  const { filter } = stream.shape ?? {};
  if (!filter) return [];
  const columns = await loadStreamColumns(connection, { ...stream, columns: filter.columns }, context.types);
  return [renderCondition(filter.condition, { columns, unrepresentable: context.unrepresentable })];
}

function tooSlow({ stream, maxStatementSeconds, pieces }: ReadChunkRequest, cause: unknown): ConnectorError {
  const message = `Reading a part of ${stream.stream} took longer than ${maxStatementSeconds} seconds`;
  const cut = pieces > 1 ? ` (cut into ${pieces} pieces)` : '';
  return new ConnectorError('statement_too_slow', `${message}${cut}.`, { cause, stream: stream.stream });
}
