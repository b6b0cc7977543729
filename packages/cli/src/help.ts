export const VERBS = [
  'init',
  'check',
  'discover',
  'sync',
  'maintain',
  'remove',
  'state',
  'table',
  'query',
  'spec',
] as const;
export type Verb = (typeof VERBS)[number];

/** Help texts by verb; `fjord` is the whole command's. They fit 80 columns. */
export const HELP: Record<Verb | 'fjord', string> = {
  fjord: `fjord copies databases into Apache Iceberg tables.

  fjord init      write a pipeline.yaml
  fjord check     every missing setting, grant and limit, each with its fix
  fjord discover  the streams there are
  fjord sync      copy what the tables do not have yet
  fjord maintain  compact the tables, expire snapshots, remove orphaned files
  fjord remove    drop what a pipeline keeps beside its tables: slot, marker
  fjord state     what the tables say they have
  fjord table     how the tables are: files, snapshots, deletes, health
  fjord query     ask the tables in SQL, by DuckDB
  fjord spec      the options of both connectors, as JSON Schema

  fjord VERB [pipeline.yaml] [--json]     fjord VERB --help     fjord --version`,
  init: `fjord init [pipeline.yaml] [--force]
  --source postgres --host HOST [--port 5432] --database NAME --user NAME
  [--password '\${env:NAME}'] [--tls verify-full|verify-ca|require|disable]
  --destination iceberg --warehouse FOLDER|s3://BUCKET/PREFIX
  [--match 'public.*']

On a terminal, without flags, it asks for them.

Example:
  fjord init --source postgres --host db.example.com --database shop \\
    --user fjord --password '\${env:SHOP_PASSWORD}' --warehouse ./warehouse`,
  check: `fjord check [pipeline.yaml] [--json]

Asks both connectors for everything that is missing, and prints each problem
with its fix. Exit code 2 if there is any.`,
  discover: `fjord discover [pipeline.yaml] [--json]

Lists the streams of the source: name, key, columns, estimated rows and size.`,
  sync: `fjord sync [pipeline.yaml] [--json] [--memory MB] [--follow]
  [--backfill STREAM]...

Copies what the tables do not have yet, changes up to the head of the change
log. Ctrl-C stops in seconds; the next sync goes on from the last commit.
  --follow    goes on with the change log until it is stopped, and begins again
              by itself after faults that pass
  --backfill  copies a stream that follows the change log anew; readers keep
              the old rows until all new ones are there
Exit codes: 0 all streams complete, 2 configuration,
3 try again, 5 some streams failed, 130 interrupted.`,
  maintain: `fjord maintain [pipeline.yaml] [--stream PATTERN …] [--dry-run] [--json]

Puts the tables of the pipeline, or of the streams that match, in order: small
and mostly deleted files are rewritten, manifests merged, old snapshots expired,
and files that nothing refers to removed. It may run beside a sync. --dry-run
says what would be done and lists the orphaned files. See docs/maintenance.md.`,
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
