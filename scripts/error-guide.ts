import type { ErrorCode } from '@fjord/core';

/** What a page about an error says beside its fix: what has happened, what usually brings it about, and what can be relied on meanwhile. */
export type ErrorGuide = { meaning: string; cause: string; safe: string };

const UNTOUCHED = 'Nothing was read or written.';
const RESUMES =
  'All that was committed stays, position and rows together; the next sync goes on from there and doubles nothing.';
const STREAM_ONLY =
  'Only the named stream stops, at its last commit; the others are copied to their end. Readers keep what they had.';

/** The guide to each error code; docs/errors.md is printed from it. */
export const ERROR_GUIDE = {
  config_invalid: {
    meaning: 'The pipeline file, or the options of a connector, are not what they must be.',
    cause:
      'A misspelt option, a wrong type, options that exclude each other. File and line, or the option, are named; all faults of a file are listed at once.',
    safe: UNTOUCHED,
  },
  config_reference: {
    meaning: 'A `${env:NAME}` or `${file:path}` in the pipeline leads nowhere.',
    cause:
      'The variable is not set for this process (cron and systemd do not read your shell profile), or the file cannot be read by this user.',
    safe: UNTOUCHED,
  },
  arguments_invalid: {
    meaning: 'The command line says something that the command does not understand.',
    cause: 'A misspelt option, a value out of range, a name that the pipeline does not have.',
    safe: UNTOUCHED,
  },
  connector_not_found: {
    meaning: 'The program of a connector is not there or cannot be started.',
    cause:
      'The package is not installed beside the pipeline or the command, or the path is wrong: it is taken from the folder of the pipeline file.',
    safe: UNTOUCHED,
  },
  protocol_mismatch: {
    meaning: 'Source and destination have no protocol version or no format in common.',
    cause: 'One of the packages is much older than the other.',
    safe: UNTOUCHED,
  },
  no_stream_matches: {
    meaning: 'A pattern of the pipeline matches no stream, or an earlier entry has taken all of its streams.',
    cause: 'A misspelt pattern, a missing schema, a table that the user may not see, or `exclude` that leaves nothing.',
    safe: UNTOUCHED,
  },
  authentication_failed: {
    meaning: 'The server does not let this user in.',
    cause:
      "A wrong or expired password or token, a user that does not exist, or a host rule (PostgreSQL's pg_hba.conf).",
    safe: `${RESUMES} A replication slot keeps the log meanwhile: do not leave it for days.`,
  },
  permission_denied: {
    meaning: 'The user lacks a privilege.',
    cause: 'A new table that nobody granted SELECT on, a role without REPLICATION, a policy of row-level security.',
    safe: `${UNTOUCHED} Where some streams are readable they are copied, and the others are named.`,
  },
  tls_failed: {
    meaning: 'The connection could not be encrypted as it was asked for.',
    cause: 'A certificate of a private authority, an expired one, another host name, or a server without TLS.',
    safe: `${UNTOUCHED} No password was sent.`,
  },
  host_key_refused: {
    meaning: 'The SSH server shows another key than the one that is known.',
    cause: 'The server was set up anew, or somebody is in between.',
    safe: `${UNTOUCHED} Nothing was said to that server.`,
  },
  source_object_missing: {
    meaning: 'A table or column that a run needs is gone from the source.',
    cause: 'It was dropped or renamed since the streams were chosen.',
    safe: 'The Iceberg table and its rows stay.',
  },
  query_failed: {
    meaning: 'The server cannot compute a row of a view or a foreign table.',
    cause: 'A division by zero or a bad cast in the view, or a remote server that is away.',
    safe: STREAM_ONLY,
  },
  unsupported: {
    meaning: 'Something was asked for that this connector cannot do.',
    cause: 'A type, an option or a kind of stream beyond the limits that the README of the connector lists.',
    safe: UNTOUCHED,
  },
  unrepresentable_value: {
    meaning: 'A value does not fit the type of its column, and the policy is `fail`.',
    cause: 'NaN or infinity where there is none in Iceberg, a year beyond 9999, a numeric wider than 38 digits.',
    safe: STREAM_ONLY,
  },
  row_missing: {
    meaning: 'A change says of a row only what has changed, and the table has no row to take the rest from.',
    cause: 'Rows were deleted from the Iceberg table by others, or it was rolled back.',
    safe: `${STREAM_ONLY} No column was filled with null in place of what is not known.`,
  },
  rows_differ: {
    meaning: '`fjord verify` found rows that are not the same at the source and in the table.',
    cause:
      'Somebody else has changed the table, or it was rolled back. Of a stream that does not follow the change log also what was written at the source since its last sync.',
    safe: 'Nothing was changed. `--repair` has only the rows that differ sent again.',
  },
  source_unreachable: {
    meaning: 'No connection to the source can be made.',
    cause: 'Server down, wrong host or port, firewall, name that does not resolve.',
    safe: RESUMES,
  },
  source_connection_lost: {
    meaning: 'A connection that was there has broken off, and did not come back in time.',
    cause: 'A restart, a failover, an administrator, an idle limit of a proxy.',
    safe: RESUMES,
  },
  source_busy: {
    meaning: 'The server has no connection, slot or lock left for Fjord.',
    cause: 'max_connections or max_replication_slots is used up, another run holds the slot, or DDL holds a lock.',
    safe: RESUMES,
  },
  statement_too_slow: {
    meaning: 'A statement took longer than it may and was ended.',
    cause:
      '`maxStatementSeconds`, or the statement timeout of the server; pieces were made smaller before it was given up.',
    safe: RESUMES,
  },
  snapshot_lost: {
    meaning: 'The moment that all rows were to be read at is gone.',
    cause: 'The session that held the snapshot ended: a restart, a limit for idle transactions.',
    safe: 'Finished streams stay. Unfinished ones start over, and what was staged of them is seen by nobody.',
  },
  destination_unreachable: {
    meaning: 'The catalog, or the storage behind it, does not answer.',
    cause: 'Service down, wrong address, no route, a proxy.',
    safe: RESUMES,
  },
  storage_failed: {
    meaning: 'A file could not be written, read or listed.',
    cause: 'A full disk or quota, a file that others have removed, an outage of the service.',
    safe: `${RESUMES} Files of a commit that was not made are orphans, and \`fjord maintain\` removes them.`,
  },
  storage_denied: {
    meaning: 'The credentials may not do this in the warehouse.',
    cause: 'Keys that have expired, a policy without write or list rights, another bucket.',
    safe: RESUMES,
  },
  commit_conflict: {
    meaning: 'Others have committed to the table again and again while Fjord tried to.',
    cause: 'Another writer or a compaction that commits every few seconds.',
    safe: RESUMES,
  },
  commit_unknown: {
    meaning: 'The catalog did not say whether a commit was made.',
    cause: 'The connection broke in the very moment of the commit.',
    safe: 'No file was deleted. The next sync looks whether the commit is there before it writes, so that nothing is lost or doubled.',
  },
  fenced: {
    meaning: 'Another run of this pipeline has begun since, and this one may commit no more.',
    cause: 'Two schedulers, or a run that was asleep (a stopped machine) and woke up.',
    safe: 'The newer run has everything. Do nothing.',
  },
  state_conflict: {
    meaning: 'The source goes on from a state that is not the one the table holds.',
    cause: 'A connector was started by hand with an old state file.',
    safe: 'It was refused before the first row.',
  },
  table_not_adopted: {
    meaning: 'The table exists and holds rows that this pipeline did not write.',
    cause: 'A table of the same name by another tool, or by another pipeline: the `id` in the file was changed.',
    safe: 'The table was not touched.',
  },
  shape_changed: {
    meaning: 'Filter or transforms differ from those that the rows in the table were copied with.',
    cause: 'The entry in the pipeline file was edited.',
    safe: STREAM_ONLY,
  },
  schema_incompatible: {
    meaning: "A column has got a type that the table's column cannot become.",
    cause: 'A type was changed in the source to one that is no widening: text to integer, say.',
    safe: STREAM_ONLY,
  },
  run_broken: {
    meaning: 'A connector ended before it said that it was done.',
    cause: 'It was killed: by the kernel for lack of memory, by a container limit, by a person.',
    safe: RESUMES,
  },
  protocol_violation: {
    meaning: 'A connector said something that the protocol does not allow.',
    cause: 'A bug of the connector, or a library that prints to stdout.',
    safe: RESUMES,
  },
  plan_outdated: {
    meaning: 'A table was rewritten while its chunks were read, so that their borders mean nothing any more.',
    cause: 'VACUUM FULL, CLUSTER, or an ALTER TABLE that rewrites.',
    safe: RESUMES,
  },
  position_lost: {
    meaning: 'The source no longer has the changes that come next.',
    cause:
      'The slot was dropped or invalidated (`max_slot_wal_keep_size`), a failover without it, a restore from a backup, a table rolled back.',
    safe: 'Readers keep the old rows. The named streams have to be copied anew: `fjord sync --backfill STREAM`; the old rows stay until all new ones are there.',
  },
  streams_failed: {
    meaning: 'Some of the chosen streams did not reach their end.',
    cause: 'Each has an error of its own, printed before.',
    safe: 'All other streams are complete.',
  },
  interrupted: {
    meaning: 'Ctrl-C, or SIGINT.',
    cause: 'A person.',
    safe: RESUMES,
  },
  terminated: {
    meaning: 'SIGTERM.',
    cause: 'A service manager, a container that is moved, a job with a deadline.',
    safe: RESUMES,
  },
  internal_error: {
    meaning: 'Something that cannot be, was.',
    cause: 'A bug of Fjord or of a library.',
    safe: RESUMES,
  },
} as const satisfies Record<ErrorCode, ErrorGuide>;
