import { asConnectorError, type ConnectorError, type Problem, streamId } from '@fjord/core';
import type { ReplicationOptions } from '@fjord/replication';
import type { Config } from './config.ts';
import { connect, type Connection, targetOf } from './connection.ts';
import { sqlState } from './driver-errors.ts';
import { quoteIdentifier, quoteQualified } from './quoting.ts';

type Checked = Config & Pick<ReplicationOptions, 'parallel'>;

/** The oldest server that has every function and setting used here. */
const MIN_SERVER_VERSION = 120_000;
// Above this many a list of single statements helps nobody; one for the whole schema does.
const MAX_PROBLEMS_PER_SCHEMA = 50;

/** Finds all that keeps this config from being read, each with what to do about it. It changes nothing on the server. */
export async function findProblems(config: Checked): Promise<Problem[]> {
  let connection: Connection;
  try {
    connection = await connect(config);
  } catch (error) {
    return [connectProblem(asConnectorError(error), config)];
  }
  await using open = connection;
  const [server] = await open.query<Server>(SERVER);
  if (!server) throw new Error('the server did not describe itself');
  if (server.version < MIN_SERVER_VERSION) return [versionProblem(server, config)];
  return [
    ...connectionProblems(server, config),
    ...(await schemaProblems(open, config)),
    ...(await tableProblems(open, config)),
  ];
}

function connectProblem(error: ConnectorError, config: Config): Problem {
  const user = quoteIdentifier(config.user);
  const database = quoteIdentifier(config.database);
  const state = sqlState(error.cause);
  const fixes: Record<string, string | undefined> = {
    '28P01': `Correct the password, or set it on the server: ALTER ROLE ${user} PASSWORD '…';`,
    '3D000': `Correct the option \`database\`, or create it: CREATE DATABASE ${database};`,
    '42501': `GRANT CONNECT ON DATABASE ${database} TO ${user};`,
  };
  return { code: error.code, message: error.message, fix: (state && fixes[state]) ?? error.help };
}

type Server = {
  version: number;
  versionText: string;
  free: number;
  freeForUser: number;
  freeForDatabase: number;
};

/** Free connections count the one that asks, because it is closed before any is needed. -1: no limit. */
const SERVER = `
  SELECT pg_catalog.current_setting('server_version_num')::int4 AS version, pg_catalog.current_setting('server_version') AS "versionText",
    (pg_catalog.current_setting('max_connections')::int4
      - CASE WHEN r.rolsuper THEN 0 ELSE pg_catalog.current_setting('superuser_reserved_connections')::int4
          + coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), ''), '0')::int4 END
      - u.server + 1)::int4 AS free,
    CASE WHEN r.rolconnlimit < 0 THEN -1 ELSE greatest(r.rolconnlimit - u.role + 1, 0) END::int4 AS "freeForUser",
    CASE WHEN d.datconnlimit < 0 THEN -1 ELSE greatest(d.datconnlimit - u.database + 1, 0) END::int4 AS "freeForDatabase"
  FROM pg_catalog.pg_roles AS r, pg_catalog.pg_database AS d,
    (SELECT count(*) AS server, count(*) FILTER (WHERE a.usename = current_user) AS role,
            count(*) FILTER (WHERE a.datname = pg_catalog.current_database()) AS database
     FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'client backend') AS u
  WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()`;

function versionProblem({ versionText }: Server, config: Config): Problem {
  return {
    code: 'unsupported',
    message: `The server ${config.host}:${config.port} is PostgreSQL ${versionText}; at least 12 is needed.`,
    fix: 'Upgrade the server, or read from a standby of a newer major version fed by logical replication.',
  };
}

function connectionProblems(server: Server, config: Checked): Problem[] {
  const needed = config.parallel + 1;
  const { host, port } = targetOf(config);
  const user = quoteIdentifier(config.user);
  const limits = [
    {
      free: server.free,
      whose: `the server ${host}:${port}`,
      fix: 'ALTER SYSTEM SET max_connections = …; (and restart)',
    },
    { free: server.freeForUser, whose: `user "${config.user}"`, fix: `ALTER ROLE ${user} CONNECTION LIMIT …;` },
    {
      free: server.freeForDatabase,
      whose: `database "${config.database}"`,
      fix: `ALTER DATABASE ${quoteIdentifier(config.database)} CONNECTION LIMIT …;`,
    },
  ];
  return limits
    .filter(({ free }, index) => (index === 0 || free >= 0) && free < needed)
    .map(({ free, whose, fix }) => ({
      code: 'source_busy',
      message: `For ${whose} ${Math.max(free, 0)} connections are free; ${needed} are needed with \`parallel: ${config.parallel}\`.`,
      fix: `Lower \`parallel\`, close other connections, or: ${fix}`,
    }));
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
    EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
            AND c.relpersistence <> 't' AND pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS "hasReadable"
  FROM wanted AS w LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.name
  ORDER BY w.name COLLATE "C"`;

/** Where schemas are named all of them must be readable; else only where SELECT shows that somebody meant to grant and forgot USAGE. */
async function schemaProblems(connection: Connection, config: Config): Promise<Problem[]> {
  const schemas = await connection.query<Schema>(SCHEMAS, [config.schemas ?? null]);
  const user = quoteIdentifier(config.user);
  const problems = schemas.flatMap((schema) => schemaProblem(schema, config));
  if (problems.length > 0 || schemas.some(({ hasReadable }) => hasReadable)) return problems;
  const grants = schemas.map(({ name }) => {
    const schema = quoteIdentifier(name);
    return `GRANT USAGE ON SCHEMA ${schema} TO ${user}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${user};`;
  });
  return [
    {
      code: 'no_stream_matches',
      message: `User "${config.user}" may read no table of database "${config.database}"${inSchemas(config)}.`,
      fix: grants.join('\n') || 'Create a table, or correct the option `database`.',
    },
  ];
}

function schemaProblem({ name, exists, mayUse, hasReadable }: Schema, config: Config): Problem[] {
  if (!exists) {
    return [
      {
        code: 'config_invalid',
        message: `Schema "${name}" does not exist in database "${config.database}".`,
        fix: 'Correct the option `schemas`.',
      },
    ];
  }
  if (mayUse || (config.schemas === undefined && !hasReadable)) return [];
  return [
    {
      code: 'permission_denied',
      message: `User "${config.user}" may not use schema "${name}".`,
      fix: `GRANT USAGE ON SCHEMA ${quoteIdentifier(name)} TO ${quoteIdentifier(config.user)};`,
    },
  ];
}

type TableFault = { namespace: string; name: string; rootNamespace: string; rootName: string; mayRead: boolean };

/**
 * Tables without SELECT (all of the named schemas; without named ones only partitions of tables that may be read, since partitions
 * are read one by one), and readable ones of which row-level security would hide rows.
 */
const TABLE_FAULTS = `
  WITH RECURSIVE roots AS (
    SELECT c.oid, c.relkind, n.nspname, c.relname, pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
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

async function tableProblems(connection: Connection, config: Config): Promise<Problem[]> {
  const faults = await connection.query<TableFault>(TABLE_FAULTS, [config.schemas ?? null]);
  const hidden = faults.filter(({ mayRead }) => mayRead).map((fault) => rowSecurityProblem(fault, config));
  const denied = Map.groupBy(
    faults.filter(({ mayRead }) => !mayRead),
    ({ namespace }) => namespace,
  );
  return [...denied].flatMap(([namespace, tables]) => deniedProblems(namespace, tables, config)).concat(hidden);
}

function deniedProblems(namespace: string, tables: TableFault[], config: Config): Problem[] {
  const user = quoteIdentifier(config.user);
  if (tables.length > MAX_PROBLEMS_PER_SCHEMA) {
    return [
      {
        code: 'permission_denied',
        message: `User "${config.user}" may not read ${tables.length} tables of schema "${namespace}".`,
        fix: `GRANT SELECT ON ALL TABLES IN SCHEMA ${quoteIdentifier(namespace)} TO ${user};`,
      },
    ];
  }
  return tables.map(({ name, rootNamespace, rootName }) => ({
    code: 'permission_denied',
    message: `User "${config.user}" may not read table ${streamId(namespace, name)}.`,
    fix: `GRANT SELECT ON TABLE ${quoteQualified(namespace, name)} TO ${user};`,
    stream: streamId(rootNamespace, rootName),
  }));
}

function rowSecurityProblem({ namespace, name, rootNamespace, rootName }: TableFault, config: Config): Problem {
  return {
    code: 'permission_denied',
    message: `Row-level security would hide rows of table ${streamId(namespace, name)} from user "${config.user}".`,
    fix: `ALTER ROLE ${quoteIdentifier(config.user)} BYPASSRLS;`,
    stream: streamId(rootNamespace, rootName),
  };
}

const inSchemas = ({ schemas }: Config) =>
  schemas === undefined ? '' : ` in ${schemas.map((name) => `schema "${name}"`).join(', ')}`;
