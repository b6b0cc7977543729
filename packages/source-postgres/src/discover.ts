import { type Column, type ColumnType, type Stream, streamId } from '@fjord/core';
import { becomesNullable } from './column-types.ts';
import type { Config } from './config.ts';
import type { Connection } from './connection.ts';
import { PARTITIONED_TABLE, type PartitionedTable, partitioningOf } from './partitioning.ts';
import { columnId } from './logged-columns.ts';
import { quoteIdentifier, quoteQualified } from './quoting.ts';
import { loadColumns, type TableColumn } from './table-columns.ts';

type Table = {
  oid: number;
  namespace: string;
  name: string;
  kind: keyof typeof KINDS;
  doc: string | null;
  key: string | null;
  /** -1 while any part of the table was never analyzed. */
  rows: number;
  bytes: number;
  mayUse: boolean;
  /** Schema and name of the table and of its leaf partitions, as far as SELECT is missing. */
  denied: [string, string][] | null;
  partitioned: PartitionedTable | null;
};

const KINDS = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
} as const;

/** Types that grow with time or by a sequence; dates and times first, since they also grow with changes. */
const CURSOR_TYPES: readonly ColumnType[] = ['timestamptz', 'timestamp', 'date', 'long', 'int'];

// Row header and line pointer (manual, 66.6 Database Page Layout), and what the planner assumes for a value of unknown width.
const ROW_OVERHEAD_BYTES = 28;
const UNKNOWN_WIDTH_BYTES = 32;

/** Tables and views of users: no system schema, no temporary table, on a standby no unlogged table. $1: schemas or null. */
const VISIBLE = `
  SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS usable
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND ($1::pg_catalog.text[] IS NULL OR n.nspname = ANY ($1))`;

// Sizes come from statistics; only a table never analyzed is measured: its files are asked, which costs a system call each.
const TABLES = `
  WITH RECURSIVE visible AS (${VISIBLE}),
  parts AS (
    SELECT oid AS root, oid, relkind FROM visible
    UNION ALL
    SELECT p.root, i.inhrelid, c.relkind
    FROM parts AS p JOIN pg_catalog.pg_inherits AS i ON p.relkind = 'p' AND i.inhparent = p.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  ),
  sizes AS (
    SELECT p.root,
      CASE WHEN bool_or(c.relkind <> 'f' AND (c.reltuples < 0 OR c.relpages = 0 AND measured.bytes > 0)) THEN -1 ELSE sum(greatest(c.reltuples, 0)) END AS rows,
      sum(CASE WHEN c.relpages = 0 THEN measured.bytes
          ELSE (c.relpages + coalesce(t.relpages, 0))::int8 * pg_catalog.current_setting('block_size')::int8 END) AS bytes
    FROM parts AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.oid AND c.relkind IN ('r', 'm', 'f')
    LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
    LEFT JOIN LATERAL (SELECT coalesce(pg_catalog.pg_relation_size(c.oid), 0) AS bytes) AS measured ON c.relpages = 0
    GROUP BY p.root
  ),
  denied AS (
    SELECT p.root, pg_catalog.json_agg(pg_catalog.json_build_array(n.nspname, c.relname)
        ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C") AS names
    FROM parts AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE (p.relkind = 'r' OR p.oid = p.root) AND NOT pg_catalog.has_table_privilege(p.oid, 'SELECT')
    GROUP BY p.root
  )
  SELECT v.oid, v.nspname::text AS namespace, v.relname::text AS name, v.relkind::text AS kind, d.description AS doc,
         coalesce(s.rows, 0)::float8 AS rows, coalesce(s.bytes, 0)::float8 AS bytes, v.usable AS "mayUse",
         x.names AS denied, ${PARTITIONED_TABLE} AS partitioned,
         (SELECT pg_catalog.array_to_string((i.indkey::int2[])[0:i.indnkeyatts - 1], ' ') FROM pg_catalog.pg_index AS i WHERE i.indrelid = v.oid AND i.indisprimary) AS key
  FROM visible AS v LEFT JOIN sizes AS s ON s.root = v.oid LEFT JOIN denied AS x ON x.root = v.oid
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = v.oid AND d.objsubid = 0 AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
  ORDER BY v.nspname COLLATE "C", v.relname COLLATE "C"`;

/**
 * Finds the tables by schema and name, those that the user may not read marked as such; partitions belong to their table. Four queries,
 * however many tables.
 */
export async function discover(connection: Connection, config: Config): Promise<Stream[]> {
  const tables = await connection.query<Table>(TABLES, [config.schemas ?? null]);
  const columns = await loadColumns(
    connection,
    tables.map(({ oid }) => oid),
    config,
  );
  const { user } = connection.target;
  return tables.map((table) => ({
    ...toStream(table, columns.get(table.oid) ?? [], config),
    ...missingPrivilege(table, user),
  }));
}

function toStream(table: Table, columns: TableColumn[], config: Config): Stream {
  const { namespace, name, kind, doc } = table;
  const keyNumbers = (table.key ?? '').split(' ').map(Number);
  const primaryKey = keyNumbers.flatMap((number) => columns.find((column) => column.number === number)?.name ?? []);
  return {
    stream: streamId(namespace, name),
    namespace,
    name,
    kind: KINDS[kind],
    columns: columns.map((column) => toColumn(column, primaryKey, config)),
    primaryKey,
    cursorCandidates: CURSOR_TYPES.flatMap((type) => columns.filter(({ mapping }) => mapping.type === type)).map(
      (column) => column.name,
    ),
    syncModes: isLogged(KINDS[kind]) ? ['full', 'incremental', 'changes'] : ['full', 'incremental'],
    ...estimate(table, columns),
    ...partitioningOf(table.partitioned, columns),
    ...(doc !== null && { doc }),
  };
}

/** Only what has rows of its own is in the log. */
const isLogged = (kind: Stream['kind']) => kind === 'table' || kind === 'partitioned table';

function missingPrivilege({ namespace, name, mayUse, denied }: Table, user: string): Pick<Stream, 'unreadable'> {
  if (mayUse && !denied) return {};
  const role = quoteIdentifier(user);
  const usage = `GRANT USAGE ON SCHEMA ${quoteIdentifier(namespace)} TO ${role};`;
  const select = `GRANT SELECT ON TABLE ${(denied ?? []).map((parts) => quoteQualified(...parts)).join(', ')} TO ${role};`;
  return {
    unreadable: {
      message: `User "${user}" may not ${mayUse ? '' : `use schema "${namespace}" and so not `}read table ${streamId(namespace, name)}.`,
      fix: [...(mayUse ? [] : [usage]), ...(denied ? [select] : [])].join(' '),
    },
  };
}

function toColumn(column: TableColumn, primaryKey: string[], { unrepresentable }: Config): Column {
  const { name, mapping, isRequired, typeName, doc } = column;
  const staysRequired = isRequired && (primaryKey.includes(name) || !becomesNullable(mapping, unrepresentable));
  return {
    name,
    id: columnId(column),
    type: mapping.type,
    nullable: !staysRequired,
    sourceType: typeName,
    ...(doc !== null && { doc }),
  };
}

/** Rows and bytes by statistics; nothing is known of views, and of foreign tables only what ANALYZE has seen. */
function estimate({ kind, rows, bytes }: Table, columns: TableColumn[]) {
  if (kind === 'v' || (kind === 'f' && rows === 0)) return {};
  return {
    estimatedRows: Math.round(rows < 0 ? bytes / estimateRowBytes(columns) : rows),
    ...(kind !== 'f' && { estimatedBytes: bytes }),
  };
}

function estimateRowBytes(columns: TableColumn[]): number {
  return columns.reduce((bytes, { width }) => bytes + (width > 0 ? width : UNKNOWN_WIDTH_BYTES), ROW_OVERHEAD_BYTES);
}
