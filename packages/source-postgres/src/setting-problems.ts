import type { Problem } from '@fjord/core';
import type { ReplicationOptions } from '@fjord/replication';
import type { Connection } from './connection.ts';
import { quoteIdentifier } from './quoting.ts';

/** What the server gives time to must be at least as long as a chunk may take under load. */
const MIN_TRANSACTION_MS = 60_000;

/** `reset_val` is what role, database or server say, whatever Fjord has set in its own session since. */
const SETTINGS = `
  SELECT name, reset_val AS value FROM pg_catalog.pg_settings
  WHERE name IN ('transaction_timeout', 'old_snapshot_threshold', 'hot_standby_feedback', 'max_standby_streaming_delay')`;
const ENCODING = `
  SELECT pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding
  FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()`;

type Settings = ReadonlyMap<string, string>;
type Consistency = ReplicationOptions['consistency'];

/** Finds settings of server, database and role that would cut a load short or bend its text, each with the statement that cures it. */
export async function findSettingProblems(connection: Connection, consistency: Consistency): Promise<Problem[]> {
  const rows = await connection.query<{ name: string; value: string }>(SETTINGS);
  const settings = new Map(rows.map(({ name, value }) => [name, value]));
  const [database] = await connection.query<{ encoding: string }>(ENCODING);
  return [
    ...timeoutProblems(settings, connection),
    ...(consistency === 'snapshot' ? snapshotProblems(settings, connection) : []),
    ...(database?.encoding === 'SQL_ASCII' ? [encodingProblem(connection)] : []),
  ];
}

/** The limit on single statements is Fjord's own, whatever the role's is. */
function timeoutProblems(settings: Settings, { target }: Connection): Problem[] {
  const timeoutMs = Number(settings.get('transaction_timeout') ?? 0);
  if (timeoutMs === 0 || timeoutMs >= MIN_TRANSACTION_MS) return [];
  return [
    {
      code: 'source_busy',
      message: `The server ends transactions of user "${target.user}" after ${timeoutMs / 1000} s (transaction_timeout), which may be less than a chunk takes.`,
      fix: `ALTER ROLE ${quoteIdentifier(target.user)} SET transaction_timeout = '${MIN_TRANSACTION_MS / 1000}s'; or lower \`chunkMB\`.`,
    },
  ];
}

function snapshotProblems(settings: Settings, { target, isStandby }: Connection): Problem[] {
  const problems: Problem[] = [];
  const oldest = Number(settings.get('old_snapshot_threshold') ?? -1);
  if (oldest >= 0) {
    problems.push({
      code: 'snapshot_lost',
      message: `The server ${target.host}:${target.port} lets snapshots grow no older than ${oldest} min (old_snapshot_threshold).`,
      fix: 'Set `consistency: chunk`, or: ALTER SYSTEM SET old_snapshot_threshold = -1; (and restart)',
    });
  }
  const delayMs = Number(settings.get('max_standby_streaming_delay') ?? -1);
  if (isStandby && settings.get('hot_standby_feedback') === 'off' && delayMs >= 0) {
    problems.push({
      code: 'snapshot_lost',
      message: `The standby ${target.host}:${target.port} stops a load whose rows the primary has removed, after ${delayMs / 1000} s (max_standby_streaming_delay).`,
      fix: 'Set `consistency: chunk`, or on the standby: ALTER SYSTEM SET hot_standby_feedback = on; SELECT pg_reload_conf();',
    });
  }
  return problems;
}

function encodingProblem({ target }: Connection): Problem {
  return {
    code: 'unsupported',
    message: `Database "${target.database}" has encoding SQL_ASCII, so nobody knows how its text is encoded; it is read as if it were UTF-8.`,
    fix: `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0; and restore a dump into it that was taken with pg_dump --encoding=… (what the text is encoded in).`,
  };
}
