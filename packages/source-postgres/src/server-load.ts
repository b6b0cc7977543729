import type { ServerLoad } from '@fjord/replication';
import type { Connection } from './connection.ts';

/**
 * Connections are limited for the server, the role and the database. Others' sessions and replicas show what they do only to members of
 * pg_monitor. On a standby the lag is its own: reading may hold its replay back.
 */
const LOAD = `
  SELECT least(
      pg_catalog.current_setting('max_connections')::int4 - u.server
        - CASE WHEN r.rolsuper THEN 0 ELSE pg_catalog.current_setting('superuser_reserved_connections')::int4
            + coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), ''), '0')::int4 END,
      CASE WHEN r.rolconnlimit >= 0 THEN r.rolconnlimit - u.role END,
      CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit - u.database END
    )::int4 AS "freeConnections",
    u.active::int4 AS "activeSessions",
    CASE WHEN NOT pg_catalog.pg_is_in_recovery()
           THEN (SELECT max(extract(epoch FROM replay_lag)) FROM pg_catalog.pg_stat_replication)
         WHEN pg_catalog.pg_last_wal_receive_lsn() IS DISTINCT FROM pg_catalog.pg_last_wal_replay_lsn()
           THEN extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
    END::float8 AS lag
  FROM pg_catalog.pg_roles AS r, pg_catalog.pg_database AS d,
    (SELECT count(*) AS server, count(*) FILTER (WHERE a.usename = current_user) AS role,
            count(*) FILTER (WHERE a.datname = pg_catalog.current_database()) AS database,
            count(*) FILTER (WHERE a.state = 'active'
              AND a.application_name <> pg_catalog.current_setting('application_name')) AS active
     FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'client backend') AS u
  WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()`;

type LoadRow = Omit<ServerLoad, 'replicaLagSeconds'> & { lag: number | null };

/** How busy the server is now, as far as the user may see it. */
export async function measureLoad(connection: Connection): Promise<ServerLoad> {
  const [row] = await connection.query<LoadRow>(LOAD);
  if (!row) throw new Error('the server did not describe its load');
  const { lag, ...load } = row;
  return { ...load, replicaLagSeconds: lag ?? undefined };
}
