import type { SelectedStream } from '@fjord/core';
import type { ChunkPlan, EncodedBatch, ReadChunkRequest } from '@fjord/replication';
import { cutChunks, layoutIdentity, type PageRange, parseLayout, type RelationLayout } from './chunk-layout.ts';
import type { UnrepresentablePolicy } from './config.ts';
import type { Connection } from './connection.ts';
import { readCopy } from './copy/copy-reader.ts';
import { copyColumns, copyStatement } from './copy-query.ts';
import { quoteLiteral } from './quoting.ts';
import { loadRelations, lockRelations, outdated, type Relation } from './relations.ts';
import { checkStreamColumns, loadStreamColumns, type StreamColumn } from './stream-columns.ts';
import type { TypeOptions } from './table-columns.ts';

// Free space and visibility maps count in pg_table_size, so main and TOAST files are asked one by one.
const SIZES = `
  SELECT c.oid, pg_catalog.pg_relation_size(c.oid)::float8 AS main, pg_catalog.current_setting('block_size')::float8 AS "blockBytes",
         CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_catalog.pg_relation_size(c.reltoastrelid) END::float8 AS toast
  FROM pg_catalog.pg_class AS c WHERE c.oid = ANY ($1::pg_catalog.oid[])`;
type Size = { oid: number; main: number; toast: number; blockBytes: number };

export type PlanRequest = {
  chunkBytes: number;
  snapshot: string | undefined;
  serverIdentity: string;
  types: TypeOptions;
};

/**
 * Plans a stream's chunks from the sizes of its files. `plan_outdated` if a table was rewritten since the snapshot was taken: it may look
 * empty there, so that the stream needs a newer snapshot.
 */
export async function planChunks(
  connection: Connection,
  stream: SelectedStream,
  { chunkBytes, snapshot, serverIdentity, types }: PlanRequest,
): Promise<ChunkPlan> {
  await begin(connection, snapshot);
  const { table, relations } = await loadRelations(connection, stream);
  if (relations.some(({ file, fileInSnapshot }) => file !== fileInSnapshot)) throw outdated(stream.stream);
  await lockRelations(connection, relations, stream.stream);
  await loadStreamColumns(connection, stream, { table, types });
  const layout = { chunkBytes, relations: await measure(connection, relations) };
  await connection.query('COMMIT');
  const identity = layoutIdentity(serverIdentity, layout.relations);
  return { identity, chunks: cutChunks(layout).length, layout };
}

/** What a thread remembers of a stream between its chunks: the columns, as of the snapshot (or of the first chunk). */
export type ColumnMemory = Map<string, StreamColumn[]>;

export type ReadContext = {
  unrepresentable: UnrepresentablePolicy;
  types: TypeOptions;
  serverIdentity: string;
  memory: ColumnMemory;
};

/** Reads one chunk in a transaction of its own, or in a held snapshot. After an error the connection must not be used again. */
export async function* readChunk(
  connection: Connection,
  request: ReadChunkRequest,
  context: ReadContext,
): AsyncGenerator<EncodedBatch> {
  const { stream, plan, chunk, snapshot } = request;
  const ranges = cutChunks(parseLayout(plan.layout, stream.stream))[chunk] ?? [];
  await begin(connection, snapshot);
  const { table, relations } = await loadRelations(connection, stream);
  const planned = toLayouts(relations);
  if (layoutIdentity(context.serverIdentity, planned) !== plan.identity) throw outdated(stream.stream);
  const touched = relations.filter(({ oid }) => ranges.some((range) => range.oid === oid));
  await lockRelations(connection, touched, stream.stream);
  const columns = await recallColumns(connection, request, { ...context, table });
  for (const range of ranges) {
    const relation = touched.find(({ oid }) => oid === range.oid);
    if (!relation) throw outdated(stream.stream);
    await checkStreamColumns(connection, columns, { relation: relation.name, stream: stream.stream });
    yield* copyRange(connection, { ...request, range, relation, columns, unrepresentable: context.unrepresentable });
  }
  await connection.query('COMMIT');
}

/** The conditions of a range of pages. With them PostgreSQL 14 and later read only these pages (TID range scan). */
function pageConditions({ fromPage, toPage }: PageRange): string[] {
  return [
    ...(fromPage > 0 ? [`ctid >= '(${fromPage},0)'::pg_catalog.tid`] : []),
    ...(toPage === undefined ? [] : [`ctid < '(${toPage},0)'::pg_catalog.tid`]),
  ];
}

async function begin(connection: Connection, snapshot: string | undefined): Promise<void> {
  const join = snapshot === undefined ? '' : `; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`;
  await connection.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${join}`);
}

async function measure(connection: Connection, relations: Relation[]): Promise<RelationLayout[]> {
  const oids = relations.filter(({ isHeap }) => isHeap).map(({ oid }) => oid);
  const sizes = new Map((await connection.query<Size>(SIZES, [oids])).map((size) => [size.oid, size]));
  return toLayouts(relations).map((layout) => {
    const size = sizes.get(layout.oid);
    // Pages of another storage than PostgreSQL's heap mean nothing to us: read whole.
    if (!size || size.main === 0) return layout;
    const pages = Math.round(size.main / size.blockBytes);
    return { ...layout, pages, pageBytes: Math.round((size.main + size.toast) / pages) };
  });
}

function toLayouts(relations: Relation[]): RelationLayout[] {
  return relations.map(({ oid, file }) => ({ oid, file: file ?? 0, pages: 0, pageBytes: 1 }));
}

async function recallColumns(
  connection: Connection,
  { stream, snapshot }: ReadChunkRequest,
  { table, types, memory }: Pick<ReadContext, 'types' | 'memory'> & { table: number },
): Promise<StreamColumn[]> {
  const key = `${snapshot ?? ''} ${stream.stream}`;
  const columns = memory.get(key) ?? (await loadStreamColumns(connection, stream, { table, types }));
  memory.set(key, columns);
  return columns;
}

type RangeRequest = ReadChunkRequest & {
  range: PageRange;
  relation: Relation;
  columns: StreamColumn[];
  unrepresentable: UnrepresentablePolicy;
};

async function* copyRange(connection: Connection, request: RangeRequest): AsyncGenerator<EncodedBatch> {
  const { range, relation, columns, unrepresentable, batchBytes, signal, stream } = request;
  try {
    yield* readCopy(connection.client, {
      sql: copyStatement({ columns, from: `ONLY ${relation.name}`, conditions: pageConditions(range) }),
      columns: copyColumns(columns, stream),
      stream: stream.stream,
      unrepresentable,
      batchBytes,
      signal,
    });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw connection.explain(cause, stream.stream);
  }
}
