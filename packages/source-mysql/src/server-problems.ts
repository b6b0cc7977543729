import type { Problem } from '@fjord/core';
import type { ReplicationOptions } from '@fjord/replication';
import type { Connection } from './connection.ts';
import { measureLoad } from './server-load.ts';

/** The oldest servers that have all that is used here: window functions are not, limits on statements are. */
const OLDEST = { MariaDB: [10, 3], MySQL: [5, 7] } as const;

/** Finds what the server is or has that keeps it from being read; of one that is too old nothing else is worth saying. */
export async function findServerProblems(
  connection: Connection,
  { parallel }: Pick<ReplicationOptions, 'parallel'>,
): Promise<{ isTooOld: boolean; problems: Problem[] }> {
  const { target, facts } = connection;
  const { host, port } = target;
  const kind = facts.isMariaDB ? 'MariaDB' : 'MySQL';
  const [oldestMajor, oldestMinor] = OLDEST[kind];
  if (!isAtLeast(facts.version, OLDEST[kind])) {
    const problem: Problem = {
      code: 'unsupported',
      message: `The server ${host}:${port} is ${kind} ${facts.version}; at least ${oldestMajor}.${oldestMinor} is needed.`,
      fix: 'Upgrade the server, or read from a replica of a newer version.',
    };
    return { isTooOld: true, problems: [problem] };
  }
  // One more plans the chunks. The one that asks is closed before any is needed.
  const needed = parallel + 1;
  const { freeConnections } = await measureLoad(connection);
  const free = freeConnections + 1;
  if (free >= needed) return { isTooOld: false, problems: [] };
  const problem: Problem = {
    code: 'source_busy',
    message: `On the server ${host}:${port} ${Math.max(free, 0)} connections are free; ${needed} are needed with \`parallel: ${parallel}\`.`,
    fix: 'Lower `parallel`, close other connections, or: SET GLOBAL max_connections = …;',
  };
  return { isTooOld: false, problems: [problem] };
}

/** Whether a version as the server writes it, `10.11.6-MariaDB-0+deb12u1`, is not below another. */
function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  // Old clients of replication are told 5.5.5- before MariaDB's own version.
  const numbers = /^(?:5\.5\.5-)?(\d+)\.(\d+)/.exec(version);
  const [ownMajor, ownMinor] = [Number(numbers?.[1] ?? 0), Number(numbers?.[2] ?? 0)];
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
