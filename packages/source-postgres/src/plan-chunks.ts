import type { SelectedStream } from '@fjord/core';
import type { ChunkPlan, PlanRequest } from '@fjord/replication';
import { type ChunkLayout, cutUnits, type KeyColumn, layoutIdentity, type RelationLayout } from './chunk-layout.ts';
import type { Connection } from './connection.ts';
import { loadCursor, sinceCondition } from './increment.ts';
import { boundsOfIncrement, countKeyUnits, findKey, sampleBounds } from './key-ranges.ts';
import { loadRelations, lockRelations, outdated, type Relation } from './relations.ts';
import { loadStreamColumns } from './stream-columns.ts';
import type { TypeOptions } from './table-columns.ts';
import { beginTransaction } from './transaction.ts';

// Free space and visibility maps count in pg_table_size, so main and TOAST files are asked one by one.
const SIZES = `
  SELECT c.oid, pg_catalog.pg_relation_size(c.oid)::float8 AS main, pg_catalog.current_setting('block_size')::float8 AS "blockBytes",
         CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_catalog.pg_relation_size(c.reltoastrelid) END::float8 AS toast
  FROM pg_catalog.pg_class AS c WHERE c.oid = ANY ($1::pg_catalog.oid[])`;
type Size = { oid: number; main: number; toast: number; blockBytes: number };

/** Every chunk that is read cuts the units anew; more of them would not make better chunks. */
const MAX_UNITS = 20_000;

/**
 * Plans a stream's units from the sizes of its files, or from samples of its key. `plan_outdated` if a table was rewritten since the
 * snapshot was taken: it may look empty there, so that the stream needs a newer snapshot.
 */
export async function planChunks(
  connection: Connection,
  stream: SelectedStream,
  request: PlanRequest & { serverIdentity: string; hasTidRangeScan: boolean; types: TypeOptions },
): Promise<ChunkPlan> {
  const { snapshot, serverIdentity, cutBy, types } = request;
  await beginTransaction(connection, { snapshot, maxStatementSeconds: undefined });
  const { table, relations } = await loadRelations(connection, stream);
  if (relations.some(({ kind, file, fileInSnapshot }) => hasFile(kind) && file !== fileInSnapshot)) {
    throw outdated(stream.stream);
  }
  await lockRelations(connection, relations, stream.stream);
  await loadStreamColumns(connection, stream, { table, types });
  const sizes = await measure(connection, relations);
  const layout = await layOut(connection, relations, {
    ...request,
    ...(await chooseKey(connection, stream, { ...request, table })),
    sizes,
  });
  await connection.query('COMMIT');
  const identity = layoutIdentity(serverIdentity, layout.relations);
  const units = cutUnits(layout).length + (stream.incremental ? 1 : 0);
  // Rows that move between pages, or an increment's end, need one moment for all units: a snapshot, or a single transaction.
  const isConsistentInParts = stream.incremental ? snapshot !== undefined : cutBy === 'place' || layout.key.length > 0;
  return { identity, units, isWhole: !isConsistentInParts, layout };
}

/** The columns to cut by, none for pages; `condition` is what the rows to read must meet. */
type Cut = { key: KeyColumn[]; condition: string | undefined };
type KeyChoice = PlanRequest & { table: number; hasTidRangeScan: boolean };

/** An increment whose cursor has an index is cut by the cursor, so that only what is new is read. */
async function chooseKey(connection: Connection, stream: SelectedStream, request: KeyChoice): Promise<Cut> {
  const { table, since, cutBy, hasTidRangeScan } = request;
  if (since !== undefined) {
    const cursor = await loadCursor(connection, stream, table);
    if (cursor.isIndexed) return { key: cursor.columns, condition: sinceCondition(cursor, since) };
  }
  const byKey = (cutBy === 'key' && !stream.incremental) || !hasTidRangeScan;
  return { key: byKey ? await findKey(connection, table) : [], condition: undefined };
}

type LayOut = PlanRequest & Cut & { sizes: Map<number, Size> };

async function layOut(connection: Connection, relations: Relation[], request: LayOut): Promise<ChunkLayout> {
  const { key, condition, sizes } = request;
  const total = [...sizes.values()].reduce((sum, { main, toast }) => sum + main + toast, 0);
  const unitBytes = Math.max(request.unitBytes, total / MAX_UNITS);
  const layouts: RelationLayout[] = [];
  for (const relation of relations) {
    const place = { oid: relation.oid, file: relation.file ?? 0 };
    const size = sizes.get(relation.oid);
    const pages = size ? Math.round(size.main / size.blockBytes) : 0;
    const bytes = size ? size.main + size.toast : 0;
    if (key.length > 0 && relation.kind === 'r') {
      const bounds =
        condition === undefined
          ? await sampleBounds(connection, relation, { key, pages, units: countKeyUnits(bytes, unitBytes) })
          : await boundsOfIncrement(connection, relation, { key, condition, bytes, unitBytes });
      layouts.push({ ...place, bounds });
    } else if (!relation.isHeap) layouts.push({ ...place, isOpaque: true });
    else layouts.push({ ...place, pages, pageBytes: pages === 0 ? 1 : Math.round(bytes / pages) });
  }
  return { unitBytes, key, relations: layouts };
}

async function measure(connection: Connection, relations: Relation[]): Promise<Map<number, Size>> {
  const oids = relations.filter(({ kind }) => hasFile(kind)).map(({ oid }) => oid);
  const sizes = oids.length === 0 ? [] : await connection.query<Size>(SIZES, [oids]);
  return new Map(sizes.map((size) => [size.oid, size]));
}

const hasFile = (kind: Relation['kind']) => kind === 'r' || kind === 'm';
