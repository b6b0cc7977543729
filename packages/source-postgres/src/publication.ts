import { ConnectorError, type SelectedStream, streamId } from '@fjord/core';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteQualified } from './quoting.ts';

/** Whose changes the server sends: a publication's tables, changes of partitions as those of their table. */
export type Publication = { name: string; isForAll: boolean; isViaRoot: boolean; tables: Set<string> };

const PUBLICATION = `
  SELECT p.puballtables AS "isForAll", coalesce((pg_catalog.to_jsonb(p) ->> 'pubviaroot')::bool, false) AS "isViaRoot"
  FROM pg_catalog.pg_publication AS p WHERE p.pubname = $1`;
const TABLES = `
  SELECT t.schemaname::text AS namespace, t.tablename::text AS name
  FROM pg_catalog.pg_publication_tables AS t WHERE t.pubname = $1`;

export async function findPublication(connection: Connection, name: string): Promise<Publication | undefined> {
  const [found] = await connection.query<Pick<Publication, 'isForAll' | 'isViaRoot'>>(PUBLICATION, [name]);
  if (!found) return undefined;
  const rows = await connection.query<{ namespace: string; name: string }>(TABLES, [name]);
  return { name, ...found, tables: new Set(rows.map((row) => streamId(row.namespace, row.name))) };
}

/** The statements that make a publication of just these streams; none if it is one already. */
export function publicationStatements(
  name: string,
  streams: readonly SelectedStream[],
  { found, version }: { found: Publication | undefined; version: number },
): string[] {
  const publication = quoteIdentifier(name);
  if (!found) {
    const traits = [
      ...(version >= 130_000 ? ['publish_via_partition_root = true'] : []),
      ...(version >= 180_000 ? ['publish_generated_columns = stored'] : []),
    ];
    const withTraits = traits.length === 0 ? '' : ` WITH (${traits.join(', ')})`;
    return [`CREATE PUBLICATION ${publication} FOR TABLE ${tableList(streams)}${withTraits}`];
  }
  const missing = streams.filter(({ stream }) => !found.isForAll && !found.tables.has(stream));
  return missing.length === 0 ? [] : [`ALTER PUBLICATION ${publication} ADD TABLE ${tableList(missing)}`];
}

/** Runs statements that change the publication; `permission_denied` has them to paste. Returns whether there was anything to do. */
export async function changePublication(connection: Connection, statements: readonly string[]): Promise<boolean> {
  if (statements.length === 0) return false;
  try {
    await connection.query(`BEGIN READ WRITE; ${statements.join('; ')}; COMMIT`);
    return true;
  } catch (cause) {
    await connection.query('ROLLBACK');
    const { user, database } = connection.target;
    const message = `User "${user}" may not make the publication that following the change log of database "${database}" needs.`;
    throw new ConnectorError('permission_denied', message, {
      cause,
      help: `As the owner of the tables, or a superuser, run: ${statements.map((statement) => `${statement};`).join(' ')}`,
    });
  }
}

const tableList = (streams: readonly SelectedStream[]) =>
  streams.map(({ namespace = 'public', name }) => quoteQualified(namespace, name)).join(', ');
