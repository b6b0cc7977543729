type ErrorEntry = { exit: 1 | 2 | 3 | 4 | 5 | 130 | 143; retryable: boolean; help: string };

/** Every error code of Fjord with its exit code, whether a later try may succeed, and what to do. docs/errors.md is printed from it. */
export const ERROR_CODES = {
  config_invalid: {
    exit: 2,
    retryable: false,
    help: 'Correct the named option; `spec` prints every option with its meaning.',
  },
  config_reference: {
    exit: 2,
    retryable: false,
    help: 'Set the named environment variable, or make the named file readable.',
  },
  arguments_invalid: { exit: 2, retryable: false, help: 'Run the command with --help to see its verbs and options.' },
  connector_not_found: {
    exit: 2,
    retryable: false,
    help: 'Install the connector package beside your pipeline, or give its path or command.',
  },
  protocol_mismatch: {
    exit: 2,
    retryable: false,
    help: 'Update the older of the two packages; SPEC prints the protocol versions each speaks.',
  },
  no_stream_matches: {
    exit: 2,
    retryable: false,
    help: 'Run `fjord discover` to see the streams there are, and correct the pattern.',
  },
  authentication_failed: {
    exit: 2,
    retryable: false,
    help: 'Check user and password, and that the server lets this user in from this host.',
  },
  permission_denied: {
    exit: 2,
    retryable: false,
    help: 'Grant the named privilege; `fjord check` prints the statement to paste.',
  },
  tls_failed: {
    exit: 2,
    retryable: false,
    help: "Give the server's CA certificate, or choose another TLS mode in words.",
  },
  host_key_refused: {
    exit: 2,
    retryable: false,
    help: 'Somebody may be in between. Compare the fingerprint with the one that the administrator of the SSH server tells you, and only then enter it.',
  },
  source_object_missing: {
    exit: 2,
    retryable: false,
    help: 'Run `fjord discover`; the table or column was dropped or renamed.',
  },
  query_failed: {
    exit: 5,
    retryable: false,
    help: 'Run the view, or ask the foreign table, by hand: the server then shows what is wrong with which row.',
  },
  unsupported: { exit: 2, retryable: false, help: 'See the limits in the README of the connector.' },
  unrepresentable_value: {
    exit: 5,
    retryable: false,
    help: 'Set `unrepresentable: null` or `clamp`, or correct the value at the source.',
  },
  row_missing: {
    exit: 5,
    retryable: false,
    help: 'The table lost the row, or others changed it: copy the stream anew, or set REPLICA IDENTITY FULL at the source.',
  },
  rows_differ: {
    exit: 5,
    retryable: false,
    help: 'Run `fjord verify --repair`: it has the rows that differ sent again. docs/verify.md says what makes rows differ.',
  },
  source_unreachable: { exit: 3, retryable: true, help: 'Check host, port, firewall, and that the server runs.' },
  source_connection_lost: { exit: 3, retryable: true, help: 'Run the sync again; it resumes from the last commit.' },
  source_busy: { exit: 3, retryable: true, help: 'Run the sync again later, or lower `parallel`.' },
  statement_too_slow: {
    exit: 3,
    retryable: true,
    help: 'Run the sync again when the server is less busy, or raise `maxStatementSeconds`.',
  },
  snapshot_lost: {
    exit: 3,
    retryable: true,
    help: 'Run the sync again; unfinished streams start over, finished ones stay.',
  },
  destination_unreachable: {
    exit: 3,
    retryable: true,
    help: 'Check catalog and storage addresses and that they answer.',
  },
  storage_failed: {
    exit: 3,
    retryable: true,
    help: 'Check free space, permissions and the storage service, then run the sync again.',
  },
  storage_denied: {
    exit: 2,
    retryable: false,
    help: 'Give the credentials read and write rights on the warehouse location.',
  },
  commit_conflict: {
    exit: 3,
    retryable: true,
    help: 'Another writer keeps committing to the table; run the sync again.',
  },
  commit_unknown: { exit: 3, retryable: true, help: 'Run the sync again; it looks for the commit before it writes.' },
  fenced: { exit: 3, retryable: false, help: 'A newer run of this pipeline has taken over; let it finish.' },
  state_conflict: {
    exit: 2,
    retryable: false,
    help: "Give the source the destination's own latest state: `write --print-state` prints it.",
  },
  table_not_adopted: {
    exit: 2,
    retryable: false,
    help: 'The table holds rows of others; set `adopt: true` for the stream to write to it.',
  },
  shape_changed: {
    exit: 5,
    retryable: false,
    help: 'Set `whenChanged` of the entry to `backfill` (copy the stream anew) or `continue` (leave the copied rows).',
  },
  schema_incompatible: {
    exit: 5,
    retryable: false,
    help: 'Rename the target table, or run with a mode that replaces it.',
  },
  run_broken: { exit: 3, retryable: true, help: 'The source ended early; see its own error, then run the sync again.' },
  protocol_violation: {
    exit: 1,
    retryable: false,
    help: 'Report it to the author of the connector with the message shown.',
  },
  plan_outdated: {
    exit: 3,
    retryable: true,
    help: 'The table was rewritten while it was read; run the sync again, it plans the table anew.',
  },
  position_lost: {
    exit: 4,
    retryable: false,
    help: 'Re-backfill the named streams; readers keep the old rows meanwhile.',
  },
  streams_failed: {
    exit: 5,
    retryable: false,
    help: 'See the error of each named stream; run the sync again once they are cured.',
  },
  interrupted: { exit: 130, retryable: true, help: 'Run the sync again; it resumes from the last commit.' },
  terminated: { exit: 143, retryable: true, help: 'Run the sync again; it resumes from the last commit.' },
  internal_error: { exit: 1, retryable: false, help: 'This is a bug: please report it with the log.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;
