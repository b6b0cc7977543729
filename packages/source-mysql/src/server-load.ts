import type { ServerLoad } from '@fjord/replication';
import type { Connection, Row } from './connection.ts';

/** Without the privilege PROCESS a user sees only his own sessions; connections are counted for all. */
const LOAD = `
  SELECT @@max_connections AS most, @@max_user_connections AS mostOfUser,
         (SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1)) AS ofUser,
         (SELECT COUNT(*) FROM information_schema.PROCESSLIST
          WHERE COMMAND IN ('Query', 'Execute') AND USER <> SUBSTRING_INDEX(USER(), '@', 1) AND USER <> 'system user') AS active`;

type Status = Row & { Value: string };

/** How busy the server is now, as far as the user may see it. */
export async function measureLoad(connection: Connection): Promise<ServerLoad> {
  const [row] = await connection.query<Row>(LOAD);
  const [connected] = await connection.query<Status>("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
  if (!row || !connected) throw new Error('the server did not describe its load');
  const ofUser = Number(row['mostOfUser']);
  const free = Number(row['most']) - Number(connected.Value);
  return {
    freeConnections: ofUser > 0 ? Math.min(free, ofUser - Number(row['ofUser'])) : free,
    activeSessions: Number(row['active']),
    replicaLagSeconds: await replicaLag(connection),
  };
}

/** A replica's own lag: reading may hold back what it applies. Whoever may not ask learns nothing. */
async function replicaLag(connection: Connection): Promise<number | undefined> {
  const statement = connection.facts.isMariaDB ? 'SHOW SLAVE STATUS' : 'SHOW REPLICA STATUS';
  const [status] = await connection.query<Row>(statement).catch(() => []);
  const lag = status?.['Seconds_Behind_Source'] ?? status?.['Seconds_Behind_Master'];
  return lag === undefined || lag === null ? undefined : Number(lag);
}
