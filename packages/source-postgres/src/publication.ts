import { ConnectorError, type Problem, type SelectedStream, streamId } from '@fjord/core';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteQualified } from './quoting.ts';

/** Whose changes the server sends. */
export type Publication = {
  isForAll: boolean;
  /** Changes of partitions are said to be those of their table. */
  isViaRoot: boolean;
  /** Kinds of changes that it leaves out. */
  leavesOut: string[];
  isOwn: boolean;
  /** By stream: whether only some of its rows or columns are published. */
  tables: ReadonlyMap<string, { isPartial: boolean }>;
};

const PUBLICATION = `
  SELECT p.puballtables AS "isForAll", coalesce((pg_catalog.to_jsonb(p) ->> 'pubviaroot')::bool, false) AS "isViaRoot",
    pg_catalog.pg_has_role(p.pubowner, 'USAGE') AS "isOwn",
    pg_catalog.array_remove(ARRAY[CASE WHEN NOT p.pubinsert THEN 'insert' END, CASE WHEN NOT p.pubupdate THEN 'update' END,
      CASE WHEN NOT p.pubdelete THEN 'delete' END, CASE WHEN NOT p.pubtruncate THEN 'truncate' END], NULL) AS "leavesOut"
  FROM pg_catalog.pg_publication AS p WHERE p.pubname = $1`;
const TABLES = `
  SELECT t.schemaname::text AS namespace, t.tablename::text AS name,
    coalesce((pg_catalog.to_jsonb(t) ->> 'rowfilter') IS NOT NULL, false) AS "isPartial"
  FROM pg_catalog.pg_publication_tables AS t WHERE t.pubname = $1`;

export async function findPublication(connection: Connection, name: string): Promise<Publication | undefined> {
  const [found] = await connection.query<Omit<Publication, 'tables'>>(PUBLICATION, [name]);
  if (!found) return undefined;
  const rows = await connection.query<{ namespace: string; name: string; isPartial: boolean }>(TABLES, [name]);
  const tables = rows.map(({ isPartial, ...row }) => [streamId(row.namespace, row.name), { isPartial }] as const);
  return { ...found, tables: new Map(tables) };
}

type Wanted = { name: string; streams: readonly SelectedStream[]; version: number };

/** The statements that make a publication of these streams, or add those that it lacks; none if it has them. */
export function publicationStatements(found: Publication | undefined, { name, streams, version }: Wanted): string[] {
  const publication = quoteIdentifier(name);
  if (found) {
    const missing = streams.filter(({ stream }) => !found.tables.has(stream));
    return missing.length === 0 ? [] : [`ALTER PUBLICATION ${publication} ADD TABLE ${tableList(missing)}`];
  }
  const traits = [
    ...(version >= 130_000 ? ['publish_via_partition_root = true'] : []),
    ...(version >= 180_000 ? ['publish_generated_columns = stored'] : []),
  ];
  const withTraits = traits.length === 0 ? '' : ` WITH (${traits.join(', ')})`;
  return [`CREATE PUBLICATION ${publication} FOR TABLE ${tableList(streams)}${withTraits}`];
}

/** Finds what a publication leaves out that must be in it. */
export function publicationProblems(found: Publication, { name, streams, version }: Wanted): Problem[] {
  const publication = quoteIdentifier(name);
  const { leavesOut, isViaRoot, tables } = found;
  const partial = streams.filter(({ stream }) => tables.get(stream)?.isPartial);
  return [
    ...(leavesOut.length > 0
      ? [
          {
            code: 'config_invalid',
            message: `Publication "${name}" leaves out changes of some kinds: ${leavesOut.join(', ')}.`,
            fix: `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete, truncate');`,
          },
        ]
      : []),
    ...(!isViaRoot && version >= 130_000
      ? [
          {
            code: 'config_invalid',
            message: `Publication "${name}" tells of partitions instead of their tables.`,
            fix: `ALTER PUBLICATION ${publication} SET (publish_via_partition_root = true);`,
          },
        ]
      : []),
    ...partial.map(({ stream, namespace = 'public', name: table }) => ({
      code: 'config_invalid',
      message: `Publication "${name}" leaves out rows of ${stream}.`,
      fix: `ALTER PUBLICATION ${publication} DROP TABLE ${quoteQualified(namespace, table)}; ALTER PUBLICATION ${publication} ADD TABLE ${quoteQualified(namespace, table)};`,
      stream,
    })),
  ];
}

/** Runs statements that change the publication; `permission_denied` has them to paste. */
export async function changePublication(connection: Connection, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  try {
    await connection.query(`BEGIN READ WRITE; ${statements.join('; ')}; COMMIT`);
  } catch (cause) {
    await connection.query('ROLLBACK');
    if (!(cause instanceof ConnectorError) || cause.code !== 'permission_denied') throw cause;
    const { user, database } = connection.target;
    const message = `User "${user}" may not make the publication that following the change log of database "${database}" needs.`;
    throw new ConnectorError('permission_denied', message, { cause, help: pasteFix(statements) });
  }
}

/** What to do where the user may not change the publication. */
export function pasteFix(statements: readonly string[]): string {
  return `As the owner of the tables, or a superuser, run: ${statements.map((statement) => `${statement};`).join(' ')}`;
}

const tableList = (streams: readonly SelectedStream[]) =>
  streams.map(({ namespace = 'public', name }) => quoteQualified(namespace, name)).join(', ');
