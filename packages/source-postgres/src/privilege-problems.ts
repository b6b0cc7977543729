import { type Problem, streamId } from '@fjord/core';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteQualified } from './quoting.ts';

// Above this many a list of single statements helps nobody; one for the whole schema does.
const MAX_PROBLEMS_PER_SCHEMA = 50;

/** Whose privileges are asked for, and in which schemas (absent: all). */
export type PrivilegeContext = { user: string; database: string; schemas: string[] | undefined };

/** Finds what the user may not read of what is wanted, and what row-level security would hide from him, each with the statement to paste. */
export async function findPrivilegeProblems(connection: Connection, context: PrivilegeContext): Promise<Problem[]> {
  return [...(await schemaProblems(connection, context)), ...(await tableProblems(connection, context))];
}

type Schema = { name: string; exists: boolean; mayUse: boolean; hasReadable: boolean };

const SCHEMAS = `
  WITH wanted AS (
    SELECT name FROM pg_catalog.unnest($1::pg_catalog.text[]) AS s (name)
    UNION
    SELECT nspname FROM pg_catalog.pg_namespace
    WHERE $1 IS NULL AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  )
  SELECT w.name, n.oid IS NOT NULL AS exists, coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS "mayUse",
    EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND c.relpersistence <> 't' AND pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS "hasReadable"
  FROM wanted AS w LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.name
  ORDER BY w.name COLLATE "C"`;

/** Where schemas are named all of them must be readable; else only where SELECT shows that somebody meant to grant and forgot USAGE. */
async function schemaProblems(connection: Connection, context: PrivilegeContext): Promise<Problem[]> {
  const schemas = await connection.query<Schema>(SCHEMAS, [context.schemas ?? null]);
  const user = quoteIdentifier(context.user);
  const problems = schemas.flatMap((schema) => schemaProblem(schema, context));
  if (problems.length > 0 || schemas.some(({ hasReadable }) => hasReadable)) return problems;
  const grants = schemas.map(({ name }) => {
    const schema = quoteIdentifier(name);
    return `GRANT USAGE ON SCHEMA ${schema} TO ${user}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${user};`;
  });
  return [
    {
      code: 'no_stream_matches',
      message: `User "${context.user}" may read no table of database "${context.database}"${inSchemas(context)}.`,
      fix: grants.join('\n') || 'Create a table, or correct the option `database`.',
    },
  ];
}

function schemaProblem({ name, exists, mayUse, hasReadable }: Schema, context: PrivilegeContext): Problem[] {
  if (!exists) {
    return [
      {
        code: 'config_invalid',
        message: `Schema "${name}" does not exist in database "${context.database}".`,
        fix: 'Correct the option `schemas`.',
      },
    ];
  }
  if (mayUse || (context.schemas === undefined && !hasReadable)) return [];
  return [
    {
      code: 'permission_denied',
      message: `User "${context.user}" may not use schema "${name}".`,
      fix: `GRANT USAGE ON SCHEMA ${quoteIdentifier(name)} TO ${quoteIdentifier(context.user)};`,
    },
  ];
}

type TableFault = { namespace: string; name: string; rootNamespace: string; rootName: string; mayRead: boolean };

/**
 * Tables and views without SELECT (all of the named schemas; without named ones only partitions of tables that may be read, since partitions
 * are read one by one), and readable ones of which row-level security would hide rows.
 */
const TABLE_FAULTS = `
  WITH RECURSIVE roots AS (
    SELECT c.oid, c.relkind, n.nspname, c.relname, pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND ($1::pg_catalog.text[] IS NULL OR n.nspname = ANY ($1))
  ),
  parts AS (
    SELECT oid, relkind, nspname, relname, readable AS "rootReadable" FROM roots
    UNION ALL
    SELECT c.oid, c.relkind, p.nspname, p.relname, p."rootReadable"
    FROM parts AS p JOIN pg_catalog.pg_inherits AS i ON p.relkind = 'p' AND i.inhparent = p.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  ),
  found AS (
    SELECT p.nspname AS root_namespace, p.relname AS root_name, n.nspname, c.relname, p."rootReadable", c.relrowsecurity, c.oid,
           c.relkind, c.relispartition, pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
    FROM parts AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' OR NOT c.relispartition
  )
  SELECT f.nspname::text AS namespace, f.relname::text AS name, f.root_namespace::text AS "rootNamespace",
         f.root_name::text AS "rootName", f.readable AS "mayRead"
  FROM found AS f
  WHERE NOT f.readable AND ($1 IS NOT NULL OR f."rootReadable" AND f.relispartition)
     OR f.readable AND f.relrowsecurity AND f.relkind = 'r' AND pg_catalog.row_security_active(f.oid)
  ORDER BY f.nspname COLLATE "C", f.relname COLLATE "C"`;

async function tableProblems(connection: Connection, context: PrivilegeContext): Promise<Problem[]> {
  const faults = await connection.query<TableFault>(TABLE_FAULTS, [context.schemas ?? null]);
  const hidden = faults.filter(({ mayRead }) => mayRead).map((fault) => rowSecurityProblem(fault, context));
  const denied = Map.groupBy(
    faults.filter(({ mayRead }) => !mayRead),
    ({ namespace }) => namespace,
  );
  return [...denied].flatMap(([namespace, tables]) => deniedProblems(namespace, tables, context)).concat(hidden);
}

function deniedProblems(namespace: string, tables: TableFault[], context: PrivilegeContext): Problem[] {
  const user = quoteIdentifier(context.user);
  if (tables.length > MAX_PROBLEMS_PER_SCHEMA) {
    return [
      {
        code: 'permission_denied',
        message: `User "${context.user}" may not read ${tables.length} tables of schema "${namespace}".`,
        fix: `GRANT SELECT ON ALL TABLES IN SCHEMA ${quoteIdentifier(namespace)} TO ${user};`,
      },
    ];
  }
  return tables.map(({ name, rootNamespace, rootName }) => ({
    code: 'permission_denied',
    message: `User "${context.user}" may not read table ${streamId(namespace, name)}.`,
    fix: `GRANT SELECT ON TABLE ${quoteQualified(namespace, name)} TO ${user};`,
    stream: streamId(rootNamespace, rootName),
  }));
}

function rowSecurityProblem(
  { namespace, name, rootNamespace, rootName }: TableFault,
  context: PrivilegeContext,
): Problem {
  return {
    code: 'permission_denied',
    message: `Row-level security would hide rows of table ${streamId(namespace, name)} from user "${context.user}".`,
    fix: `ALTER ROLE ${quoteIdentifier(context.user)} BYPASSRLS;`,
    stream: streamId(rootNamespace, rootName),
  };
}

const inSchemas = ({ schemas }: PrivilegeContext) =>
  schemas === undefined ? '' : ` in ${schemas.map((name) => `schema "${name}"`).join(', ')}`;
