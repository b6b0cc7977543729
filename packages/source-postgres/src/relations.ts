import { ConnectorError, type SelectedStream } from '@fjord/core';
import type { Connection } from './connection.ts';

/** What gives a stream's rows: the table or view itself, or a leaf partition. Names are qualified and quoted. */
export type Relation = {
  oid: number;
  name: string;
  /** Its relkind: r table, m materialized view, v view, f foreign table. */
  kind: 'r' | 'm' | 'v' | 'f';
  isHeap: boolean;
  /** Number of its file now, 0 if it never has one; null when it was dropped. */
  file: number | null;
  /** Number of its file when the transaction's snapshot was taken. */
  fileInSnapshot: number;
};

/** The relations of a stream in the order of their oids; the oid of its table, and the table, with all partitions, as an item of FROM. */
export type StreamRelations = { table: number; from: string; relations: Relation[] };

type RelationRow = Omit<Relation, 'kind'> & { depth: number; kind: Relation['kind'] | 'p'; isPopulated: boolean };

/** The file's number as the server's caches have it, null for what was dropped. Views and foreign tables have no file. */
const FILE_NOW = (oid: string) => `
  CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class AS k WHERE k.oid = ${oid} AND k.relkind IN ('v', 'f')) THEN 0
       ELSE pg_catalog.pg_relation_filenode(${oid}) END`;

/**
 * pg_class and pg_inherits are read as the transaction's snapshot shows them. pg_relation_filenode and regclass look into the
 * server's caches instead, which always hold the newest state: by this difference a rewrite after the snapshot is noticed.
 */
const RELATIONS = `
  WITH RECURSIVE parts AS (
    SELECT 0 AS depth, c.oid, c.relkind, c.relam, c.relfilenode, c.relispopulated
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
    UNION ALL
    SELECT p.depth + 1, c.oid, c.relkind, c.relam, c.relfilenode, c.relispopulated
    FROM parts AS p JOIN pg_catalog.pg_inherits AS i ON p.relkind = 'p' AND i.inhparent = p.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  )
  SELECT p.depth, p.oid, p.relkind::text AS kind, p.oid::pg_catalog.regclass::text AS name,
         p.relfilenode AS "fileInSnapshot", ${FILE_NOW('p.oid')} AS file, p.relispopulated AS "isPopulated",
         coalesce(m.amname = 'heap', false) AS "isHeap"
  FROM parts AS p LEFT JOIN pg_catalog.pg_am AS m ON m.oid = p.relam
  ORDER BY p.oid`;

/** Finds the relations that hold a stream's rows, as of the transaction's snapshot. */
export async function loadRelations(connection: Connection, stream: SelectedStream): Promise<StreamRelations> {
  const rows = await connection.query<RelationRow>(RELATIONS, [stream.namespace, stream.name], stream.stream);
  const table = rows.find(({ depth }) => depth === 0);
  if (!table) throw missing(stream, `Table ${stream.stream} does not exist.`);
  if (!table.isPopulated) {
    throw new ConnectorError('unsupported', `Materialized view ${stream.stream} was never filled.`, {
      stream: stream.stream,
      help: `REFRESH MATERIALIZED VIEW ${table.name};`,
    });
  }
  const relations = rows.flatMap(({ kind, ...row }) => (kind === 'p' ? [] : [{ ...row, kind }]));
  const { oid, name, kind } = table;
  return { table: oid, from: kind === 'p' ? name : fromItem({ name, kind }), relations };
}

/** A relation as an item of FROM: its own rows, without those of tables that inherit from it. */
export function fromItem({ name, kind }: Pick<Relation, 'name' | 'kind'>): string {
  return kind === 'v' ? name : `ONLY ${name}`;
}

/**
 * Locks relations against rewrites until the transaction's end; readers and writers go on. `plan_outdated` if one is not the file it
 * was. The order matters: only once the lock is held does an unchanged file number prove that the snapshot sees all of its rows, for
 * TRUNCATE and most ALTER TABLE leave a file in which older snapshots see nothing (manual, 13.6 Caveats).
 */
export async function lockRelations(
  connection: Connection,
  relations: Pick<Relation, 'oid' | 'name' | 'kind' | 'file'>[],
  stream: string,
): Promise<void> {
  if (relations.length === 0) return;
  await connection.query(lockStatements(relations), [], stream).catch((cause: unknown) => {
    throw cause instanceof ConnectorError && cause.code === 'source_object_missing' ? outdated(stream, cause) : cause;
  });
  const locked = await connection.query<Pick<Relation, 'oid' | 'name' | 'file'>>(
    `SELECT r.oid, r.oid::pg_catalog.regclass::text AS name, ${FILE_NOW('r.oid')} AS file
     FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS r (oid)`,
    [relations.map(({ oid }) => oid)],
    stream,
  );
  const now = new Map(locked.map((relation) => [relation.oid, relation]));
  for (const { oid, name, file } of relations) {
    const found = now.get(oid);
    if (found?.file === null || found?.file !== file || found.name !== name) throw outdated(stream);
  }
}

/** LOCK TABLE takes tables only; a query that gives nothing locks all others just so, until the transaction ends. */
function lockStatements(relations: Pick<Relation, 'name' | 'kind'>[]): string {
  const tables = relations.filter(({ kind }) => kind === 'r');
  const others = relations.filter(({ kind }) => kind !== 'r');
  return [
    ...(tables.length === 0 ? [] : [`LOCK TABLE ${tables.map(fromItem).join(', ')} IN ACCESS SHARE MODE`]),
    ...others.map((relation) => `SELECT FROM ${fromItem(relation)} WHERE false`),
  ].join('; ');
}

/** The error of a stream whose table is not the one that was planned. */
export function outdated(stream: string, cause?: unknown): ConnectorError {
  const message = `Table ${stream} was rewritten, replaced or altered since it was planned.`;
  return new ConnectorError('plan_outdated', message, { cause, stream });
}

function missing({ stream }: SelectedStream, message: string): ConnectorError {
  return new ConnectorError('source_object_missing', message, { stream });
}
