import { ConnectorError, type SelectedStream } from '@fjord/core';
import type { Connection } from './connection.ts';

/** A table of a stream that holds rows: the table itself, or a leaf partition. Names are qualified and quoted. */
export type Relation = {
  oid: number;
  name: string;
  isHeap: boolean;
  /** Number of its file now; null when it was dropped. */
  file: number | null;
  /** Number of its file when the transaction's snapshot was taken. */
  fileInSnapshot: number;
};

/** The relations of a stream in the order of their oids, and the oid of its table. */
export type StreamRelations = { table: number; relations: Relation[] };

type RelationRow = Relation & { depth: number; kind: string };

/**
 * pg_class and pg_inherits are read as the transaction's snapshot shows them. pg_relation_filenode and regclass look into the
 * server's caches instead, which always hold the newest state: by this difference a rewrite after the snapshot is noticed.
 */
const RELATIONS = `
  WITH RECURSIVE parts AS (
    SELECT 0 AS depth, c.oid, c.relkind, c.relam, c.relfilenode
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
    UNION ALL
    SELECT p.depth + 1, c.oid, c.relkind, c.relam, c.relfilenode
    FROM parts AS p JOIN pg_catalog.pg_inherits AS i ON p.relkind = 'p' AND i.inhparent = p.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  )
  SELECT p.depth, p.oid, p.relkind::text AS kind, p.oid::pg_catalog.regclass::text AS name,
         p.relfilenode AS "fileInSnapshot", pg_catalog.pg_relation_filenode(p.oid) AS file,
         coalesce(m.amname = 'heap', false) AS "isHeap"
  FROM parts AS p LEFT JOIN pg_catalog.pg_am AS m ON m.oid = p.relam
  ORDER BY p.oid`;

/** Finds the relations that hold a stream's rows, as of the transaction's snapshot. */
export async function loadRelations(connection: Connection, stream: SelectedStream): Promise<StreamRelations> {
  const rows = await connection.query<RelationRow>(RELATIONS, [stream.namespace, stream.name], stream.stream);
  const table = rows.find(({ depth }) => depth === 0);
  if (!table) throw missing(stream, `Table ${stream.stream} does not exist.`);
  const foreign = rows.find(({ kind }) => kind !== 'r' && kind !== 'p');
  if (foreign) {
    const message = `Table ${stream.stream} has rows outside of the database: ${foreign.name} is no ordinary table.`;
    throw new ConnectorError('unsupported', message, { stream: stream.stream });
  }
  return { table: table.oid, relations: rows.filter(({ kind }) => kind === 'r') };
}

/**
 * Locks relations against rewrites until the transaction's end; readers and writers go on. `plan_outdated` if one is not the file it
 * was. The order matters: only once the lock is held does an unchanged file number prove that the snapshot sees all of its rows, for
 * TRUNCATE and most ALTER TABLE leave a file in which older snapshots see nothing (manual, 13.6 Caveats).
 */
export async function lockRelations(
  connection: Connection,
  relations: Pick<Relation, 'oid' | 'name' | 'file'>[],
  stream: string,
): Promise<void> {
  if (relations.length === 0) return;
  const names = relations.map(({ name }) => `ONLY ${name}`).join(', ');
  await connection.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`, [], stream).catch((cause: unknown) => {
    throw cause instanceof ConnectorError && cause.code === 'source_object_missing' ? outdated(stream, cause) : cause;
  });
  const locked = await connection.query<Pick<Relation, 'oid' | 'name' | 'file'>>(
    `SELECT r.oid, r.oid::pg_catalog.regclass::text AS name, pg_catalog.pg_relation_filenode(r.oid) AS file
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

/** The error of a stream whose table is not the one that was planned. */
export function outdated(stream: string, cause?: unknown): ConnectorError {
  const message = `Table ${stream} was rewritten, replaced or altered since it was planned.`;
  return new ConnectorError('plan_outdated', message, { cause, stream });
}

function missing({ stream }: SelectedStream, message: string): ConnectorError {
  return new ConnectorError('source_object_missing', message, { stream });
}
