import { type Problem, streamId } from '@fjord/core';
import type { Connection, Row } from './connection.ts';
import { quoteAccount, quoteIdentifier, quoteQualified, quoteText } from './quoting.ts';
import { schemaCondition } from './table-columns.ts';

// Above this many a list of single statements helps nobody; one for the whole schema does.
const MAX_PROBLEMS_PER_SCHEMA = 50;

/** Tables, each with how many of its columns may not be read. */
const TABLES = `
  SELECT TABLE_SCHEMA AS namespace, TABLE_NAME AS name, SUM(NOT FIND_IN_SET('select', PRIVILEGES)) AS denied
  FROM information_schema.COLUMNS`;

type Table = Row & { namespace: string; name: string; denied: string | number };

/**
 * Finds what the user may not read of what is wanted, each with the statement to paste. Where schemas are named all of their tables must be
 * readable; of others only that there is something to read. A server shows nothing of what a user may not touch at all.
 */
export async function findPrivilegeProblems(connection: Connection, schemas: string[] | undefined): Promise<Problem[]> {
  const tables = await connection.query<Table>(
    `${TABLES} WHERE ${schemaCondition(schemas)} GROUP BY TABLE_SCHEMA, TABLE_NAME ORDER BY TABLE_SCHEMA, TABLE_NAME`,
  );
  const readable = tables.filter(({ denied }) => Number(denied) === 0);
  if (schemas === undefined) return readable.length > 0 ? [] : [nothingToRead(connection)];
  const seen = Map.groupBy(tables, ({ namespace }) => namespace);
  const problems: Problem[] = [];
  for (const schema of schemas) {
    const found = seen.get(schema);
    if (found) problems.push(...deniedProblems(connection, schema, found));
    else problems.push(await absentSchema(connection, schema));
  }
  return problems;
}

function nothingToRead({ target, facts }: Connection): Problem {
  return {
    code: 'no_stream_matches',
    message: `User "${target.user}" may read no table.`,
    fix: `GRANT SELECT ON \`…\`.* TO ${quoteAccount(facts.account)};`,
  };
}

function deniedProblems(connection: Connection, schema: string, tables: Table[]): Problem[] {
  const { target, facts } = connection;
  const denied = tables.filter(({ denied: columns }) => Number(columns) > 0);
  if (denied.length > MAX_PROBLEMS_PER_SCHEMA) {
    return [
      {
        code: 'permission_denied',
        message: `User "${target.user}" may not read ${denied.length} tables of schema "${schema}".`,
        fix: grantAll(schema, facts.account),
      },
    ];
  }
  return denied.map(({ namespace, name }) => ({
    code: 'permission_denied',
    message: `User "${target.user}" may not read table ${streamId(namespace, name)}.`,
    fix: `GRANT SELECT ON ${quoteQualified(namespace, name)} TO ${quoteAccount(facts.account)};`,
    stream: streamId(namespace, name),
  }));
}

async function absentSchema(connection: Connection, schema: string): Promise<Problem> {
  const { target, facts } = connection;
  const [visible] = await connection.query(
    `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteText(schema)}`,
  );
  const message = visible
    ? `Schema "${schema}" has no table that user "${target.user}" may read.`
    : `Schema "${schema}" does not exist, or user "${target.user}" may read nothing in it.`;
  return { code: 'permission_denied', message, fix: grantAll(schema, facts.account) };
}

/** In a GRANT the characters of LIKE patterns stand for others unless a backslash is before them. */
function grantAll(schema: string, account: string): string {
  return `GRANT SELECT ON ${quoteIdentifier(schema.replaceAll(/[\\_%]/g, '\\$&'))}.* TO ${quoteAccount(account)};`;
}
