import type { Problem } from '@fjord/core';
import type { ReplicationOptions } from '@fjord/replication';
import type { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { Target } from './driver-errors.ts';
import { cannotShare, detectPooler, type Pooler } from './pooler.ts';
import { quoteIdentifier } from './quoting.ts';
import { findSettingProblems } from './setting-problems.ts';

/** The oldest server that has every function and setting used here. */
const MIN_SERVER_VERSION = 120_000;

/** The options that decide how much a load needs of the server. */
export type LoadOptions = ConnectionOptions &
  Pick<ReplicationOptions, 'parallel'> &
  Partial<Pick<ReplicationOptions, 'consistency'>>;

/** Finds what the server is or has that keeps it from being read; of one that is too old nothing else is worth saying. */
export async function findServerProblems(
  connection: Connection,
  options: LoadOptions,
): Promise<{ isTooOld: boolean; problems: Problem[] }> {
  const { target } = connection;
  const { parallel, consistency = 'snapshot' } = options;
  const [server] = await connection.query<Server>(SERVER);
  if (!server) throw new Error('the server did not describe itself');
  if (server.version < MIN_SERVER_VERSION) return { isTooOld: true, problems: [versionProblem(server, target)] };
  const pooler = await detectPooler(connection, options);
  const problems = [
    // Connections of a pool are there already; whether they suffice was tried.
    ...(pooler ? [] : connectionProblems(server, target, parallel)),
    ...(pooler && !pooler.canHoldSnapshot && consistency === 'snapshot' ? [poolerProblem(pooler, target)] : []),
    ...(await findSettingProblems(connection, consistency)),
  ];
  return { isTooOld: false, problems };
}

function poolerProblem(pooler: Pooler, target: Target): Problem {
  const { code, message, help } = cannotShare(pooler, target);
  return { code, message, fix: help };
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

function versionProblem({ versionText }: Server, { host, port }: Target): Problem {
  return {
    code: 'unsupported',
    message: `The server ${host}:${port} is PostgreSQL ${versionText}; at least 12 is needed.`,
    fix: 'Upgrade the server, or read from a standby of a newer major version fed by logical replication.',
  };
}

function connectionProblems(server: Server, target: Target, parallel: number): Problem[] {
  // One more plans the chunks, and one holds the snapshot.
  const needed = parallel + 2;
  const { host, port } = target;
  const user = quoteIdentifier(target.user);
  const limits = [
    {
      free: server.free,
      whose: `the server ${host}:${port}`,
      fix: 'ALTER SYSTEM SET max_connections = …; (and restart)',
    },
    { free: server.freeForUser, whose: `user "${target.user}"`, fix: `ALTER ROLE ${user} CONNECTION LIMIT …;` },
    {
      free: server.freeForDatabase,
      whose: `database "${target.database}"`,
      fix: `ALTER DATABASE ${quoteIdentifier(target.database)} CONNECTION LIMIT …;`,
    },
  ];
  return limits
    .filter(({ free }, index) => (index === 0 || free >= 0) && free < needed)
    .map(({ free, whose, fix }) => ({
      code: 'source_busy',
      message: `For ${whose} ${Math.max(free, 0)} connections are free; ${needed} are needed with \`parallel: ${parallel}\`.`,
      fix: `Lower \`parallel\`, close other connections, or: ${fix}`,
    }));
}
