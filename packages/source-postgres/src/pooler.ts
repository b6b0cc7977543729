import { asConnectorError, ConnectorError } from '@fjord/core';
import { connect, type Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { Target } from './driver-errors.ts';
import { holdSnapshot, parseSnapshotToken } from './held-snapshot.ts';
import { quoteLiteral } from './quoting.ts';

/**
 * What stands between Fjord and the server. `mode` is for how long a client has a server session: `session` for as long as it is
 * connected, `transaction` for one transaction. `canHoldSnapshot`: other connections could read in a snapshot held on one.
 */
export type Pooler = { name: string; mode: 'session' | 'transaction'; canHoldSnapshot: boolean };

// Two clients in turn, so that a pool that hands out its sessions round and round is seen through as well.
const TURNS = [0, 1, 1, 0, 0, 1, 0, 1, 1] as const;

/** Finds out by trying, on further connections, whether and how a pooler shares the server's sessions; undefined if there is none. */
export async function detectPooler(connection: Connection, options: ConnectionOptions): Promise<Pooler | undefined> {
  if (!connection.isPooled) return undefined;
  await using other = await connect(options, connection.endpoint);
  return {
    name: nameOf(connection),
    mode: await findMode(connection, other),
    canHoldSnapshot: await canShareSnapshot(options, connection),
  };
}

/** In session mode each client keeps its process and none gets another's; in transaction mode one of both fails before long. */
async function findMode(...clients: [Connection, Connection]): Promise<Pooler['mode']> {
  const seen = [new Set<number>(), new Set<number>()] as const;
  for (const turn of TURNS) {
    const [row] = await clients[turn].query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
    if (row) seen[turn].add(row.pid);
  }
  const isExclusive = seen.every(({ size }) => size === 1) && seen[0].isDisjointFrom(seen[1]);
  return isExclusive ? 'session' : 'transaction';
}

async function canShareSnapshot(options: ConnectionOptions, reader: Connection): Promise<boolean> {
  await using holder = await connect(options, reader.endpoint);
  // A pool with one session has none left for a reader: the holder's end lets it go on.
  await using _timer = closeAfter(holder, options.connectTimeoutSeconds * 1000);
  try {
    const { token } = await holdSnapshot(holder);
    const { snapshot } = parseSnapshotToken(token);
    const join = `SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`;
    await reader.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${join}`);
    return true;
  } catch (error) {
    if (asConnectorError(error).retryable) return false;
    throw error;
  } finally {
    await reader.query('ROLLBACK').catch(() => undefined);
  }
}

function closeAfter(connection: Connection, timeoutMs: number): AsyncDisposable {
  const timer = setTimeout(() => void connection[Symbol.asyncDispose](), timeoutMs);
  return { [Symbol.asyncDispose]: async () => clearTimeout(timer) };
}

/** Why a load through this pooler cannot be read in one snapshot. */
export function cannotShare({ name, mode }: Pooler, { host, port }: Target): ConnectorError {
  const message = `Behind ${host}:${port} is ${name} in ${mode} mode, through which no connection can read in the snapshot of another.`;
  return new ConnectorError('unsupported', message, {
    help: 'Connect to the server itself, give this database or user a larger pool (`parallel` + 2) on one server, or choose another `consistency`.',
  });
}

/** The hosts that the clouds give their poolers; any other names itself only to its administrators. */
const HOSTS: [RegExp, string][] = [
  [/\.proxy-[^.]+\.[^.]+\.rds\.amazonaws\.com(\.cn)?$/, 'RDS Proxy'],
  [/\.pooler\.supabase\.com$/, 'Supavisor'],
  [/-pooler\.[^.]+(\.[^.]+)*\.neon\.tech$/, 'PgBouncer (Neon)'],
  [/\.postgres\.database\.azure\.com$/, 'PgBouncer (Azure)'],
];

function nameOf({ target }: Connection): string {
  return HOSTS.find(([host]) => host.test(target.host))?.[1] ?? 'a pooler such as PgBouncer or Odyssey';
}
