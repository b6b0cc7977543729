import { ConnectorError, type SelectedStream } from '@fjord/core';
import type { Boundary, EncodedBatch, ReadChunkRequest, UnitMark } from '@fjord/replication';
import { type ChunkLayout, cutUnits, layoutIdentity, parseLayout, type Range, splitPages } from './chunk-layout.ts';
import { renderCondition } from './condition-sql.ts';
import type { UnrepresentablePolicy } from './config.ts';
import type { Connection } from './connection.ts';
import { readCopy } from './copy/copy-reader.ts';
import { copyColumns, type CopyQuery, copyStatement } from './copy-query.ts';
import { sqlState } from './driver-errors.ts';
import { Increment } from './increment.ts';
import { keyConditions, splitKeys } from './key-ranges.ts';
import { fromItem, loadRelations, lockRelations, outdated, type Relation } from './relations.ts';
import { beginSeeing, parseTransactions } from './seen-transactions.ts';
import { checkStreamColumns, loadStreamColumns, type StreamColumn } from './stream-columns.ts';
import type { TypeOptions } from './table-columns.ts';
import { beginTransaction } from './transaction.ts';

/** What a thread remembers of a stream between its chunks: the columns, as of the snapshot (or of the first chunk). */
export type ColumnMemory = Map<string, RecalledColumns>;

/** The columns to send, and those that the stream's filter names. */
type RecalledColumns = { columns: StreamColumn[]; filter: StreamColumn[] };

export type ReadContext = {
  unrepresentable: UnrepresentablePolicy;
  types: TypeOptions;
  serverIdentity: string;
  memory: ColumnMemory;
};

/** Canceled by the server, here because a statement took longer than it may (manual, Appendix A). */
const QUERY_CANCELED = '57014';

/**
 * Reads a run of units in a transaction of its own, or in a held snapshot, with a mark after each. At a mark the consumer may stop; after
 * an error, or a stop elsewhere, the connection must not be used again.
 */
export async function* readChunk(
  connection: Connection,
  request: ReadChunkRequest,
  context: ReadContext,
): AsyncGenerator<EncodedBatch | UnitMark | Boundary> {
  const { stream, plan, units, snapshot, maxStatementSeconds } = request;
  const layout = parseLayout(plan.layout, stream.stream);
  const ranges = cutUnits(layout);
  const wanted = ranges.slice(...units);
  const isOpaque = wanted.flat().some((range) => 'isOpaque' in range);
  // What cannot be cut must be let through however long it takes.
  const limits = { snapshot, maxStatementSeconds: isOpaque ? undefined : maxStatementSeconds };
  const begin = () => beginTransaction(connection, limits);
  const emitted = parseTransactions(request.notBefore ?? []);
  // A held snapshot is what it is: changes are told apart from its rows by its place in the log.
  await (emitted && snapshot === undefined
    ? beginSeeing(connection, emitted, { begin, signal: request.signal })
    : begin());
  const reader = await UnitReader.open(connection, { request, context, layout, wanted });
  for (const [index, unit] of wanted.entries()) {
    for (const range of unit) yield* reader.read(range);
    yield { reached: units[0] + index + 1 };
  }
  if (units[1] > ranges.length) {
    yield* reader.finishIncrement();
    yield { reached: units[1] };
  }
  await connection.query('COMMIT');
}

type UnitParts = {
  request: ReadChunkRequest;
  context: ReadContext;
  layout: ChunkLayout;
  wanted: Range[][];
};

/** Reads ranges of the relations of one stream within one transaction. */
class UnitReader {
  readonly #connection: Connection;
  readonly #parts: UnitParts;
  readonly #relations: Map<number, Relation>;
  readonly #columns: StreamColumn[];
  readonly #filter: StreamColumn[];
  readonly #increment: Increment | undefined;
  readonly #checked = new Set<number>();

  private constructor(
    connection: Connection,
    parts: UnitParts,
    found: RecalledColumns & { relations: Relation[]; increment: Increment | undefined },
  ) {
    this.#connection = connection;
    this.#parts = parts;
    this.#relations = new Map(found.relations.map((relation) => [relation.oid, relation]));
    this.#columns = found.columns;
    this.#filter = found.filter;
    this.#increment = found.increment;
  }

  /** Finds and locks what the units touch; `plan_outdated` if it is not what was planned. */
  static async open(connection: Connection, parts: UnitParts): Promise<UnitReader> {
    const { request, context, wanted } = parts;
    const { stream, plan } = request;
    const { table, from, relations } = await loadRelations(connection, stream);
    const places = relations.map(({ oid, file }) => ({ oid, file: file ?? 0 }));
    if (layoutIdentity(context.serverIdentity, places) !== plan.identity) throw outdated(stream.stream);
    const oids = new Set(wanted.flat().map(({ oid }) => oid));
    const touched = stream.incremental ? relations : relations.filter(({ oid }) => oids.has(oid));
    await lockRelations(connection, touched, stream.stream);
    const { columns, filter } = await recallColumns(connection, request, { ...context, table });
    const increment = stream.incremental
      ? await Increment.open(connection, stream, {
          table,
          from,
          columns,
          since: request.since,
          filter: filterConditions(request, filter, context),
          serverIdentity: context.serverIdentity,
        })
      : undefined;
    return new UnitReader(connection, parts, { relations: touched, columns, filter, increment });
  }

  async *read(range: Range): AsyncGenerator<EncodedBatch> {
    const { stream } = this.#parts.request;
    const relation = this.#relations.get(range.oid);
    if (!relation) throw outdated(stream.stream);
    const from = fromItem(relation);
    if (!this.#checked.has(relation.oid))
      await checkStreamColumns(this.#connection, [...this.#columns, ...this.#filter], { from, stream: stream.stream });
    this.#checked.add(relation.oid);
    for (const conditions of await this.#pieces(range, from)) {
      const increment = this.#increment?.conditions() ?? [];
      yield* this.#copy({ columns: this.#columns, from, conditions: [...conditions, ...increment] });
    }
  }

  /** What no range holds of an increment, and where the next one begins. */
  async *finishIncrement(): AsyncGenerator<EncodedBatch | Boundary> {
    if (!this.#increment) return;
    for (const query of this.#increment.furtherCopies()) yield* this.#copy(query);
    yield { boundary: await this.#increment.measureBoundary() };
  }

  /** The conditions of the statements that read a range: one, or several if one took too long. */
  async #pieces(range: Range, from: string): Promise<string[][]> {
    const { request, layout } = this.#parts;
    const { pieces } = request;
    if ('fromPage' in range) {
      const found = layout.relations.find(({ oid }) => oid === range.oid);
      const pages = found && 'pages' in found ? found.pages : 0;
      return splitPages(range, pieces, pages).map(pageConditions);
    }
    if ('isOpaque' in range) return [[]];
    const { key } = layout;
    return (await splitKeys(this.#connection, range, { key, from, pieces })).map((piece) => keyConditions(piece, key));
  }

  async *#copy(query: CopyQuery): AsyncGenerator<EncodedBatch> {
    const { request, context } = this.#parts;
    const { batchBytes, signal, stream, maxStatementSeconds } = request;
    try {
      yield* readCopy(this.#connection.client, {
        sql: copyStatement({
          ...query,
          conditions: [...query.conditions, ...filterConditions(request, this.#filter, context)],
        }),
        columns: copyColumns(query.columns, stream),
        stream: stream.stream,
        unrepresentable: context.unrepresentable,
        batchBytes,
        silenceLimitMs: this.#connection.silenceLimitMs,
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw cause;
      if (sqlState(cause) === QUERY_CANCELED && maxStatementSeconds !== undefined) throw tooSlow(request, cause);
      throw this.#connection.explain(cause, stream.stream);
    }
  }
}

/** What a row must meet to be one of the stream's. */
function filterConditions(
  { stream }: ReadChunkRequest,
  columns: StreamColumn[],
  { unrepresentable }: ReadContext,
): string[] {
  const { filter } = stream.shape ?? {};
  return filter ? [renderCondition(filter.condition, { columns, unrepresentable })] : [];
}

/** The conditions of a range of pages. With them PostgreSQL 14 and later read only these pages (TID range scan). */
export function pageConditions({ fromPage, toPage }: { fromPage: number; toPage: number | undefined }): string[] {
  return [
    ...(fromPage > 0 ? [`ctid >= '(${fromPage},0)'::pg_catalog.tid`] : []),
    ...(toPage === undefined ? [] : [`ctid < '(${toPage},0)'::pg_catalog.tid`]),
  ];
}

async function recallColumns(
  connection: Connection,
  { stream, snapshot }: ReadChunkRequest,
  { table, types, memory }: Pick<ReadContext, 'types' | 'memory'> & { table: number },
): Promise<RecalledColumns> {
  const key = `${snapshot ?? ''} ${stream.stream}`;
  const load = (selected: SelectedStream) => loadStreamColumns(connection, selected, { table, types });
  const filterColumns = stream.shape?.filter?.columns ?? [];
  const known = memory.get(key) ?? {
    columns: await load(stream),
    filter: filterColumns.length === 0 ? [] : await load({ ...stream, columns: filterColumns }),
  };
  memory.set(key, known);
  return known;
}

function tooSlow({ stream, maxStatementSeconds, pieces }: ReadChunkRequest, cause: unknown): ConnectorError {
  const message = `Reading a part of ${stream.stream} took longer than ${maxStatementSeconds} seconds, or somebody canceled it`;
  const cut = pieces > 1 ? ` (cut into ${pieces} pieces)` : '';
  return new ConnectorError('statement_too_slow', `${message}${cut}.`, { cause, stream: stream.stream });
}
