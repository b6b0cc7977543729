import { formatColumnType, type ListedRow, type SelectedStream } from '@fjord/core';
import { formatSum } from '@fjord/core/apache-arrow';
import type { SummedRows, SumRowsRequest } from '@fjord/replication';
import { type CanonicalSql, canonicalSql } from './canonical-sql.ts';
import { cutUnits, layoutIdentity, parseLayout, type Range } from './chunk-layout.ts';
import { pageConditions, type ReadContext } from './chunks.ts';
import { renderCondition } from './condition-sql.ts';
import type { Connection } from './connection.ts';
import { keyConditions } from './key-ranges.ts';
import { fromItem, loadRelations, lockRelations, outdated } from './relations.ts';
import { checkStreamColumns, loadStreamColumns, type StreamColumn } from './stream-columns.ts';
import { beginTransaction } from './transaction.ts';

type SumContext = Omit<ReadContext, 'memory'>;

/** Has the server sum the rows of a run of units, as `RowSums` of `@fjord/core` does; why not, where it renders a column in another way. */
export async function sumRows(
  connection: Connection,
  request: SumRowsRequest,
  context: SumContext,
): Promise<SummedRows | { whyNot: string }> {
  const { stream, plan, units, snapshot, maxStatementSeconds } = request;
  const layout = parseLayout(plan.layout, stream.stream);
  const ranges = cutUnits(layout)
    .slice(...units)
    .flat();
  await beginTransaction(connection, { snapshot, maxStatementSeconds });
  const { table, relations } = await loadRelations(connection, stream);
  const places = relations.map(({ oid, file }) => ({ oid, file: file ?? 0 }));
  if (layoutIdentity(context.serverIdentity, places) !== plan.identity) throw outdated(stream.stream);
  const touched = relations.filter(({ oid }) => ranges.some((range) => range.oid === oid));
  await lockRelations(connection, touched, stream.stream);
  const load = (selected: SelectedStream) => loadStreamColumns(connection, selected, { table, types: context.types });
  const columns = await load(stream);
  const filter = await load({ ...stream, columns: stream.shape?.filter?.columns ?? [] });
  const texts = renderTexts(columns, request, context);
  const total: SummedRows = { ranges: [], listed: [] };
  if ('whyNot' in texts) return finish(connection, texts);
  for (const range of ranges) {
    const relation = touched.find(({ oid }) => oid === range.oid);
    if (!relation) throw outdated(stream.stream);
    const from = fromItem(relation);
    await checkStreamColumns(connection, [...columns, ...filter], { from, stream: stream.stream });
    const conditions = [...rangeConditions(range, layout.key), ...filterConditions(stream, filter, context)];
    const found = await sumRange(connection, { ...texts, from, conditions }, request);
    total.ranges.push(...found.ranges);
    total.listed.push(...found.listed);
  }
  return finish(connection, total);
}

async function finish<Result>(connection: Connection, result: Result): Promise<Result> {
  await connection.query('COMMIT');
  return result;
}

type Texts = { row: readonly CanonicalSql[]; key: readonly CanonicalSql[] };

function renderTexts(
  columns: readonly StreamColumn[],
  { columns: names, key }: SumRowsRequest,
  { unrepresentable }: SumContext,
): Texts | { whyNot: string } {
  const byName = new Map<string, CanonicalSql>();
  for (const stream of columns) {
    const text = canonicalSql(stream, unrepresentable);
    const { name, type } = stream.column;
    if (!text)
      return { whyNot: `the database does not render column ${name} (${formatColumnType(type)}) as Fjord does` };
    byName.set(name, text);
  }
  const pick = (wanted: readonly string[]) => wanted.flatMap((name) => byName.get(name) ?? []);
  return { row: pick(names), key: pick(key.length > 0 ? key : names) };
}

type SumQuery = Texts & { from: string; conditions: readonly string[] };

async function sumRange(
  connection: Connection,
  { row, key, from, conditions }: SumQuery,
  { sums, stream }: SumRowsRequest,
): Promise<SummedRows> {
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map((one) => `(${one})`).join(' AND ')}`;
  const values = `pg_catalog.json_build_array(${key.map(({ text }) => text).join(', ')})::pg_catalog.text`;
  const rows = `
    SELECT ${hashBits(rowText(key), 32)}::pg_catalog.int4 & ${sums.ranges - 1} AS range,
           ${hashBits(rowText(row), 64)}::pg_catalog.int8 AS hash${sums.list ? `, ${values} AS key` : ''}
    FROM ${from}${where}`;
  if (sums.list) {
    const sql = `SELECT r.key, r.hash::pg_catalog.text AS sum FROM (${rows}) AS r WHERE r.range = ANY ($1::pg_catalog.int4[])`;
    const found = await connection.query<{ key: string; sum: string }>(sql, [sums.list], stream.stream);
    return { ranges: [], listed: found.map(toListed) };
  }
  const sql = `
    SELECT r.range, pg_catalog.count(*)::pg_catalog.float8 AS rows, pg_catalog.sum(r.hash)::pg_catalog.text AS sum
    FROM (${rows}) AS r GROUP BY r.range`;
  const found = await connection.query<{ range: number; rows: number; sum: string }>(sql, [], stream.stream);
  return { ranges: found.map((one) => ({ ...one, sum: formatSum(BigInt(one.sum)) })), listed: [] };
}

const toListed = ({ key, sum }: { key: string; sum: string }): ListedRow => ({
  key: JSON.parse(key) as ListedRow['key'],
  sum: formatSum(BigInt(sum)),
});

/** A row's text: null is nothing, free text has its length in characters before it. */
function rowText(values: readonly CanonicalSql[]): string {
  const parts = values.map(({ text, isFree }) =>
    isFree ? `coalesce(pg_catalog.length(${text})::pg_catalog.text || ':' || ${text}, '')` : `coalesce(${text}, '')`,
  );
  return parts.join(` || '|' || `);
}

/** The first bits of the MD5 of a text in UTF-8, whatever the encoding of the database. */
function hashBits(text: string, bits: 32 | 64): string {
  const hash = `pg_catalog.md5(pg_catalog.convert_to(${text}, 'UTF8'))`;
  return `('x' || pg_catalog.substr(${hash}, 1, ${bits / 4}))::pg_catalog.bit(${bits})`;
}

function rangeConditions(range: Range, key: Parameters<typeof keyConditions>[1]): string[] {
  if ('fromPage' in range) return pageConditions(range);
  return 'isOpaque' in range ? [] : keyConditions(range, key);
}

function filterConditions(
  { shape }: SelectedStream,
  columns: StreamColumn[],
  { unrepresentable }: SumContext,
): string[] {
  const condition = shape?.filter?.condition;
  return condition ? [renderCondition(condition, { columns, unrepresentable })] : [];
}
