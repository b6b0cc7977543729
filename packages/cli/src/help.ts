export const VERBS = [
  'init',
  'doctor',
  'check',
  'discover',
  'plan',
  'preview',
  'sync',
  'status',
  'history',
  'logs',
  'verify',
  'maintain',
  'remove',
  'state',
  'table',
  'query',
  'spec',
  'add',
  'completion',
] as const;
export type Verb = (typeof VERBS)[number];

/** Help texts by verb; `fjord` is the whole command's. They fit 80 columns. */
export const HELP: Record<Verb | 'fjord', string> = {
  fjord: `fjord copies databases into Apache Iceberg tables.

To begin
  fjord init        write a pipeline.yaml
  fjord add         install a connector
  fjord doctor      every missing setting, grant and limit, each with its fix
  fjord discover    the streams there are
  fjord preview     the first rows of a stream, with the types they will have
  fjord plan        what a sync would read, write, create and change
To copy
  fjord sync        copy what the tables do not have yet
  fjord status      where each stream is, and how the last run went
  fjord history     the runs so far, or one of them stream by stream
  fjord logs        what the runs have said
To look after the tables
  fjord table       how the tables are: files, snapshots, deletes, health
  fjord query       ask the tables in SQL, by DuckDB
  fjord verify      compare the tables with their source, repair what differs
  fjord maintain    compact the tables, expire snapshots, remove orphaned files
  fjord remove      drop what a pipeline keeps beside its tables: slot, marker
For programs
  fjord check       what doctor finds, in a line each
  fjord state       what the tables say they have
  fjord spec        the options of both connectors, as JSON Schema
  fjord completion  what completes this command in a shell

  fjord VERB [pipeline.yaml] [--json]     fjord VERB --help     fjord --version

Example:
  fjord init && fjord doctor && fjord sync`,
  init: `fjord init [pipeline.yaml] [--force]
  --source postgres --host HOST [--port PORT] --database NAME --user NAME
  [--password '\${env:NAME}'] [--tls verify-full|verify-ca|require|disable]
  --destination iceberg --warehouse FOLDER|s3://BUCKET/PREFIX
  [--match 'public.*'] [--mode changes|overwrite|append]

On a terminal, without flags, it asks for them: for the connection first, then,
with the tables and their sizes before you, for what is copied and how. Writes
.fjord/pipeline.schema.json beside the file, which editors complete it by.

Example:
  fjord init --source postgres --host db.example.com --database shop \\
    --user fjord --password '\${env:SHOP_PASSWORD}' --warehouse ./warehouse`,
  doctor: `fjord doctor [pipeline.yaml] [--json]

Looks at both connectors, the server, the storage and the pipeline's own choices
at once, and lists each problem with its fix: statements can be pasted as they
are. Changes nothing. Exit code 2 if there is any problem.`,
  plan: `fjord plan [pipeline.yaml] [--json]

Says what the next sync would do with each stream: copy it, go on, or nothing;
rows and bytes by the source's statistics; tables to create or change, column by
column. Asks for no row and changes nothing.`,
  preview: `fjord preview STREAM [pipeline.yaml] [--rows 10] [--json]

Prints the first rows of a stream as its table will have them: chosen columns,
filter and transforms applied, Iceberg types. Leaves nothing behind.

Example:
  fjord preview public.orders --rows 3`,
  check: `fjord check [pipeline.yaml] [--json]

Asks both connectors for everything that is missing, and prints each problem
with its fix. Exit code 2 if there is any.`,
  discover: `fjord discover [pipeline.yaml] [--json]

Lists the streams of the source: name, key, columns, estimated rows and size.`,
  sync: `fjord sync [pipeline.yaml] [--json] [--memory MB] [--follow]
  [--backfill STREAM]... [--metrics-port [HOST:]PORT]
  [--log-level debug|info|warn|error] [--profile FOLDER]

Copies what the tables do not have yet, changes up to the head of the change
log. Ctrl-C stops in seconds; the next sync goes on from the last commit.
  --follow    goes on with the change log until it is stopped, and begins again
              by itself after faults that pass
  --backfill  copies a stream that follows the change log anew; readers keep
              the old rows until all new ones are there
  --metrics-port  serves figures for Prometheus at /metrics while it runs, and
              /healthz; on this machine alone unless a host is given
  --log-level  from which level on lines are shown; the journal has all
  --profile   writes CPU profiles of all processes and threads into the folder
OpenTelemetry's variables (OTEL_EXPORTER_OTLP_ENDPOINT) turn on traces.
Exit codes: 0 all streams complete, 2 configuration,
3 try again, 5 some streams failed, 130 interrupted.`,
  status: `fjord status [pipeline.yaml] [--json]

Says where each stream is: its phase and rows by the destination's own state,
its last commit, and by the journal of this folder how the last run went, or how
far behind the log one is that runs now.`,
  history: `fjord history [RUN] [pipeline.yaml] [--lines 20] [--json]

Lists the runs from this folder, newest first: when, how long, rows, commits,
values that did not fit, how they ended. With a number, one run by its streams.
The journal is kept in .fjord/ID/journal.db (SQLite).`,
  logs: `fjord logs [pipeline.yaml] [--run RUN] [--level debug|info|warn|error]
  [--lines 100] [--json]

Prints what the runs from this folder have said, oldest first.

Example:
  fjord logs --level warn --lines 20`,
  add: `fjord add CONNECTOR [--json]

Installs a connector beside the pipeline, by the package manager that the folder
uses: a short name, or the name of a package.

Example:
  fjord add postgres`,
  completion: `fjord completion bash|zsh|fish

Prints what completes verbs, options and files in that shell.

Example:
  fjord completion bash > /etc/bash_completion.d/fjord`,
  verify: `fjord verify [STREAM ...] [pipeline.yaml] [--repair] [--json]
  [--memory MB]

Compares tables with their source by counts and checksums, and names the rows
that differ. Streams that follow the change log are synced first and compared
at one place of it, so that writes meanwhile are no differences; stop a
\`fjord sync --follow\` of the pipeline before. See docs/verify.md.
  --repair  has the rows that differ sent again, and compares once more
Exit codes: 0 all equal (or repaired), 5 some differ.`,
  maintain: `fjord maintain [pipeline.yaml] [--stream PATTERN …] [--dry-run] [--json]

Puts the tables of the pipeline, or of the streams that match, in order: small
and mostly deleted files are rewritten, deletes and manifests put together, old
snapshots expired, and files that nothing refers to removed. It may run beside a
sync. --dry-run says what would be done and lists the orphaned files.
See docs/maintenance.md.`,
  remove: `fjord remove [pipeline.yaml] --force [--json]

Drops what the pipeline keeps in the database (replication slot, publication)
and in the catalog (states, marker). Tables and their rows stay. Says which
other slots of Fjord nobody reads from: they keep the server's log.`,
  state: `fjord state [pipeline.yaml] [--json]

Prints the durable states that the destination's tables hold for this pipeline.`,
  table: `fjord table [TABLE] [pipeline.yaml] [--json]

Prints of each table, or in full of one, its columns, layout, properties,
files, deletes, snapshots, and what a reader would feel. TABLE is
namespace.name, or the name alone, or the stream's.`,
  query: `fjord query 'select ...' [pipeline.yaml] [--json|--csv] [--memory MB]

Asks the current snapshots of the pipeline's tables in DuckDB's SQL, deletes
applied. Tables are called namespace.name, or by the name alone where only one
has it. Needs DuckDB: npm install @duckdb/node-api. --json prints one object a
row, whole numbers of 64 bits and decimals as strings. Times are in UTC.

Example:
  fjord query 'select status, count(*) from shop.orders group by all'`,
  spec: `fjord spec [pipeline.yaml] [--json]

Prints the options of both connectors as JSON Schema, and the pipeline's own.`,
};
