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
  tables: ReadonlyMap<string, PublishedTable>;
};

/** A table of a publication: whether only some of its rows or columns are published, and whether it is there by its own name. */
type PublishedTable = { namespace: string; name: string; isPartial: boolean; isListed: boolean };

const PUBLICATION = `
  SELECT p.puballtables AS "isForAll", coalesce((pg_catalog.to_jsonb(p) ->> 'pubviaroot')::bool, false) AS "isViaRoot",
    pg_catalog.pg_has_role(p.pubowner, 'USAGE') AS "isOwn",
    pg_catalog.array_remove(ARRAY[CASE WHEN NOT p.pubinsert THEN 'insert' END, CASE WHEN NOT p.pubupdate THEN 'update' END,
      CASE WHEN NOT p.pubdelete THEN 'delete' END, CASE WHEN NOT p.pubtruncate THEN 'truncate' END], NULL) AS "leavesOut"
  FROM pg_catalog.pg_publication AS p WHERE p.pubname = $1`;
const TABLES = `
  SELECT t.schemaname::text AS namespace, t.tablename::text AS name,
    coalesce((pg_catalog.to_jsonb(t) ->> 'rowfilter') IS NOT NULL, false) AS "isPartial",
    EXISTS (
      SELECT FROM pg_catalog.pg_publication AS p JOIN pg_catalog.pg_publication_rel AS r ON r.prpubid = p.oid
      JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE p.pubname = t.pubname AND n.nspname = t.schemaname AND c.relname = t.tablename
    ) AS "isListed"
  FROM pg_catalog.pg_publication_tables AS t WHERE t.pubname = $1`;

export async function findPublication(connection: Connection, name: string): Promise<Publication | undefined> {
  const [found] = await connection.query<Omit<Publication, 'tables'>>(PUBLICATION, [name]);
  if (!found) return undefined;
  const rows = await connection.query<PublishedTable>(TABLES, [name]);
  return { ...found, tables: new Map(rows.map((table) => [streamId(table.namespace, table.name), table])) };
}

/** The streams whose changes a publication does not have. */
export function unpublished(found: Publication | undefined, streams: readonly SelectedStream[]): SelectedStream[] {
  return streams.filter(({ stream }) => !found?.tables.has(stream));
}

type Wanted = {
  name: string;
  streams: readonly SelectedStream[];
  version: number;
  /** Whether it is named for the pipeline, and so nobody else's. */
  isOurs: boolean;
};

/** The statements that make a publication of these streams, add those that it lacks, and take others out of one of our own; none if it has just them. */
export function publicationStatements(
  found: Publication | undefined,
  { name, streams, version, isOurs }: Wanted,
): string[] {
  const publication = quoteIdentifier(name);
  if (found) {
    const missing = unpublished(found, streams);
    const wanted = new Set(streams.map(({ stream }) => stream));
    const mayLeave = isOurs && found.isOwn;
    const left = [...found.tables].filter(([stream, { isListed }]) => mayLeave && isListed && !wanted.has(stream));
    return [
      ...(missing.length > 0 ? [`ALTER PUBLICATION ${publication} ADD TABLE ${tableList(missing)}`] : []),
      ...(left.length > 0
        ? [`ALTER PUBLICATION ${publication} DROP TABLE ${tableList(left.map(([, table]) => table))}`]
        : []),
    ];
  }
  const traits = [
    ...(version >= 130_000 ? ['publish_via_partition_root = true'] : []),
    ...(version >= 180_000 ? ['publish_generated_columns = stored'] : []),
  ];
  const withTraits = traits.length === 0 ? '' : ` WITH (${traits.join(', ')})`;
  return [`CREATE PUBLICATION ${publication} FOR TABLE ${tableList(streams)}${withTraits}`];
}

/** Finds what a publication leaves out that must be in it. */
export function publicationProblems(found: Publication, { name, streams, version }: Omit<Wanted, 'isOurs'>): Problem[] {
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

/** Runs statements that change the publication; `permission_denied`, or on a standby `unsupported`, has them to paste. */
export async function changePublication(connection: Connection, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  if (connection.isStandby) {
    const { message, fix } = standbyProblem(statements);
    throw new ConnectorError('unsupported', message, { help: fix });
  }
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

/** What is wrong where a publication is to be changed on a standby, which has those of its primary. */
export function standbyProblem(statements: readonly string[]): { code: 'unsupported'; message: string; fix: string } {
  return {
    code: 'unsupported',
    message: 'A standby cannot make the publication of all tables that are to be followed.',
    fix: `On the primary run: ${statements.map((statement) => `${statement};`).join(' ')}`,
  };
}

/** What to do where the user may not change the publication. */
export function pasteFix(statements: readonly string[]): string {
  return `As the owner of the tables, or a superuser, run: ${statements.map((statement) => `${statement};`).join(' ')}`;
}

const tableList = (tables: readonly { namespace?: string; name: string }[]) =>
  tables.map(({ namespace = 'public', name }) => quoteQualified(namespace, name)).join(', ');
