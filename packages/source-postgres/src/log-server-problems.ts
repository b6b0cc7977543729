import type { Problem } from '@fjord/core';
import type { Connection } from './connection.ts';
import { quoteIdentifier } from './quoting.ts';

type LogServer = {
  version: number;
  walLevel: string;
  slots: number;
  hasSlot: boolean;
  maxSlots: number;
  senders: number;
  maxSenders: number;
  mayReplicate: boolean;
  isAmazon: boolean;
  maySendMessage: boolean;
  keepMB: number;
  idleSeconds: number;
};

/** $1: the slot's name. Settings that an older server does not have read as what they mean there. */
const LOG_SERVER = `
  SELECT pg_catalog.current_setting('server_version_num')::int4 AS version, pg_catalog.current_setting('wal_level') AS "walLevel",
    (SELECT count(*) FROM pg_catalog.pg_replication_slots)::int4 AS slots,
    EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s WHERE s.slot_name = $1) AS "hasSlot",
    pg_catalog.current_setting('max_replication_slots')::int4 AS "maxSlots",
    (SELECT count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'walsender')::int4 AS senders,
    pg_catalog.current_setting('max_wal_senders')::int4 AS "maxSenders",
    r.rolsuper OR r.rolreplication OR EXISTS (
      SELECT FROM pg_catalog.pg_roles AS g WHERE g.rolname IN ('rds_replication', 'rds_superuser') AND pg_catalog.pg_has_role(g.oid, 'MEMBER')
    ) AS "mayReplicate",
    EXISTS (SELECT FROM pg_catalog.pg_roles AS g WHERE g.rolname = 'rds_replication') AS "isAmazon",
    (SELECT bool_and(pg_catalog.has_function_privilege(p.oid, 'EXECUTE')) FROM pg_catalog.pg_proc AS p
     WHERE p.proname = 'pg_logical_emit_message') AS "maySendMessage",
    coalesce((SELECT s.setting::int8 FROM pg_catalog.pg_settings AS s WHERE s.name = 'max_slot_wal_keep_size'), -1)::float8 AS "keepMB",
    coalesce((SELECT s.setting::int8 * CASE s.unit WHEN 'min' THEN 60 ELSE 1 END FROM pg_catalog.pg_settings AS s
              WHERE s.name = 'idle_replication_slot_timeout'), 0)::float8 AS "idleSeconds"
  FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user`;

/** The first version that decodes its log on a standby. */
const STANDBY_VERSION = 160_000;
/** One follows; for streams that are copied at one moment another one exports the snapshot, through a slot of its own. */
const NEEDED = 2;

/** Finds what keeps the server from sending its log to this user, or would make it forget what was not read yet. */
export async function findLogServerProblems(connection: Connection, slot: string): Promise<Problem[]> {
  const [server] = await connection.query<LogServer>(LOG_SERVER, [slot]);
  if (!server) throw new Error('the server did not describe itself');
  return [
    ...kindProblems(connection, server),
    ...privilegeProblems(connection, server),
    ...capacityProblems(connection, server),
    ...forgettingProblems(server),
  ];
}

function kindProblems(
  { target, isPooled, isStandby }: Connection,
  { version, walLevel, isAmazon }: LogServer,
): Problem[] {
  const where = `${target.host}:${target.port}`;
  const problems: Problem[] = [];
  if (isPooled) {
    const message = `Behind ${where} is a pooler, through which no server sends its change log.`;
    problems.push({ code: 'unsupported', message, fix: 'Connect to the server itself.' });
  }
  if (isStandby && version < STANDBY_VERSION) {
    const message = `The server ${where} is a standby of a version before 16, which cannot decode its change log.`;
    problems.push({ code: 'unsupported', message, fix: 'Connect to the primary (`targetSession: primary`).' });
  }
  if (walLevel !== 'logical') {
    const message = `The server ${where} writes too little into its change log (wal_level = ${walLevel}).`;
    const own = `ALTER SYSTEM SET wal_level = logical; (and restart${isStandby ? '; on the primary too' : ''})`;
    const fix = isAmazon ? 'Set rds.logical_replication = 1 in the parameter group, and restart.' : own;
    problems.push({ code: 'unsupported', message, fix });
  }
  return problems;
}

function privilegeProblems({ target, isStandby }: Connection, server: LogServer): Problem[] {
  const user = quoteIdentifier(target.user);
  const problems: Problem[] = [];
  if (!server.mayReplicate) {
    const fix = server.isAmazon ? `GRANT rds_replication TO ${user};` : `ALTER ROLE ${user} REPLICATION;`;
    problems.push({ code: 'permission_denied', message: `User "${target.user}" may not read the change log.`, fix });
  }
  if (!server.maySendMessage && !isStandby) {
    problems.push({
      code: 'permission_denied',
      message: `User "${target.user}" may not ask the server to write out its change log (pg_logical_emit_message).`,
      fix: `GRANT EXECUTE ON FUNCTION pg_catalog.pg_logical_emit_message(boolean, text, text${server.version >= 170_000 ? ', boolean' : ''}) TO ${user};`,
    });
  }
  return problems;
}

function capacityProblems({ target }: Connection, server: LogServer): Problem[] {
  const where = `${target.host}:${target.port}`;
  const neededSlots = server.hasSlot ? NEEDED - 1 : NEEDED;
  const limits = [
    {
      name: 'max_replication_slots',
      free: server.maxSlots - server.slots,
      needed: neededSlots,
      what: 'replication slots',
    },
    {
      name: 'max_wal_senders',
      free: server.maxSenders - server.senders,
      needed: NEEDED,
      what: 'senders of the change log',
    },
  ];
  return limits
    .filter(({ free, needed }) => free < needed)
    .map(({ name, free, needed, what }) => ({
      code: 'source_busy',
      message: `The server ${where} has ${Math.max(free, 0)} ${what} free (${name}); up to ${needed} are needed.`,
      fix: `Drop what is not used any more, or: ALTER SYSTEM SET ${name} = …; (and restart)`,
    }));
}

/** A slot that the server gives up means that the streams must be copied anew. */
function forgettingProblems({ keepMB, idleSeconds }: LogServer): Problem[] {
  const problems: Problem[] = [];
  if (idleSeconds > 0) {
    problems.push({
      code: 'position_lost',
      message: `The server gives up replication slots from which nobody has read for ${idleSeconds} s (idle_replication_slot_timeout).`,
      fix: 'ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf(); or let the sync run more often.',
    });
  }
  if (keepMB >= 0) {
    problems.push({
      code: 'position_lost',
      message: `The server gives up replication slots that are more than ${keepMB} MB behind (max_slot_wal_keep_size).`,
      fix: 'Raise it above what is written while no sync runs and during the longest copy: ALTER SYSTEM SET max_slot_wal_keep_size = …; SELECT pg_reload_conf();',
    });
  }
  return problems;
}
