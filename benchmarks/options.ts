import { parseArgs } from 'node:util';

export const USAGE = `Usage: pnpm bench NAME [OPTIONS]

  trips             10 M rows of 18 mixed columns, PostgreSQL to Iceberg
  lineitem          6 M rows of 16 columns, PostgreSQL to Iceberg
  wide              1 M rows of 200 mixed columns
  many-tables       1,000 tables of 100 rows
  filter            trips with a filter that keeps a tenth, with hashed and masked columns, both, neither
  changes           catching up with 1.3 M mixed changes, then with 1 M inserts
  scan-after-updates  10 rounds of 100,000 random updates of 10 M rows, and what they cost a reader
  freshness         how old changes are when a snapshot shows them (--rows: changes a second)
  soak              an hour of changes in follow mode: what grows (--minutes, --rows: changes a second)
  kindness          pgbench alone, then beside a load of trips: what the load costs others
  null-destination  trips into a destination that throws everything away
  partitions        5 M rows into 200 partitions in no order, and into none
  s3-latency        5 M rows into a bucket without and with 20 ms more for each request
  commit            commits to a table of 100,000 files (--rows: files)
  maintain          4 M made-up trips in small files, compacted
  parquet           2 M made-up trips into Parquet: our encoder, parquet-wasm, PyArrow
  startup           how long the commands take to answer

  --rows N            rows of the table (made once, then kept)
  --parallel N        chunks read at once; the source's default is 2
  --consistency MODE  snapshot, keys or chunk
  --pace PROFILE      the source's profile: gentle (kindness), balanced (others) or fast
  --seconds N         kindness: how long each of the six runs of pgbench takes; freshness: how long is looked; 60 unless said
  --minutes N         soak: how long it runs; 60 unless said
  --memory MB         bound for rows in flight, as in fjord sync --memory
  --s3                write to a local S3 server instead of the disk
  --source synthetic  null-destination: rows made by CPU work, no database
  --checkout          run the sources of the checkout, not packages as users get them
  --profile FOLDER    V8 CPU profiles of every process go there
  --keep              leave the written files, and say where
  --record            add the result to docs/benchmarks.md`;

const NAMES = [
  'trips',
  'lineitem',
  'wide',
  'many-tables',
  'filter',
  'changes',
  'scan-after-updates',
  'freshness',
  'soak',
  'kindness',
  'null-destination',
  'partitions',
  's3-latency',
  'commit',
  'maintain',
  'parquet',
  'startup',
] as const;
const DEFAULT_ROWS = {
  trips: 10_000_000,
  lineitem: 6_000_000,
  wide: 1_000_000,
  // 100 rows each, and one for each in the table that counts them.
  'many-tables': 101_000,
  filter: 10_000_000,
  // The trips that copy and inserts are taken from.
  changes: 2_000_000,
  'scan-after-updates': 10_000_000,
  freshness: 5_000,
  soak: 2_000,
  kindness: 10_000_000,
  'null-destination': 10_000_000,
  partitions: 5_000_000,
  's3-latency': 5_000_000,
  commit: 100_000,
  maintain: 4_000_000,
  parquet: 2_000_000,
  startup: 0,
};
const CONSISTENCIES = ['snapshot', 'keys', 'chunk'] as const;
const PACES = ['gentle', 'balanced', 'fast'] as const;
const DEFAULT_SECONDS = 60;
const DEFAULT_MINUTES = 60;

/** What one run of `pnpm bench` was asked for. */
export type Options = {
  name: (typeof NAMES)[number];
  rows: number;
  s3: boolean;
  synthetic: boolean;
  keep: boolean;
  checkout: boolean;
  record: boolean;
  parallel?: number;
  consistency?: (typeof CONSISTENCIES)[number];
  pace?: (typeof PACES)[number];
  seconds?: number;
  minutes?: number;
  memory?: number;
  profile?: string;
};

/** Reads the command line; throws an Error whose message says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: FLAGS });
  const name = oneOf(NAMES, 'NAME', positionals[0]);
  const { parallel, consistency, memory, profile, pace } = values;
  const synthetic = values.source !== undefined && oneOf(['synthetic'], '--source', values.source) === 'synthetic';
  // Its values hardly compress and have no types to speak of: what a destination makes of them says nothing.
  if (synthetic && name !== 'null-destination') throw new Error('--source synthetic goes with null-destination only.');
  return {
    name,
    rows: values.rows === undefined ? DEFAULT_ROWS[name] : wholeNumber('--rows', values.rows),
    s3: values.s3,
    checkout: values.checkout,
    synthetic,
    keep: values.keep,
    record: values.record,
    ...(parallel !== undefined && { parallel: wholeNumber('--parallel', parallel) }),
    ...(consistency !== undefined && { consistency: oneOf(CONSISTENCIES, '--consistency', consistency) }),
    ...((name === 'kindness' || name === 'freshness') && {
      seconds: values.seconds === undefined ? DEFAULT_SECONDS : wholeNumber('--seconds', values.seconds),
    }),
    ...(name === 'soak' && {
      minutes: values.minutes === undefined ? DEFAULT_MINUTES : wholeNumber('--minutes', values.minutes),
    }),
    ...(pace !== undefined
      ? { pace: oneOf(PACES, '--pace', pace) }
      : name === 'kindness' && { pace: 'gentle' as const }),
    ...(memory !== undefined && { memory: wholeNumber('--memory', memory) }),
    ...(profile !== undefined && { profile }),
  };
}

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean', default: false } as const;
const FLAGS = {
  rows: TEXT,
  parallel: TEXT,
  consistency: TEXT,
  memory: TEXT,
  source: TEXT,
  pace: TEXT,
  seconds: TEXT,
  minutes: TEXT,
  profile: TEXT,
  s3: FLAG,
  checkout: FLAG,
  keep: FLAG,
  record: FLAG,
};

function wholeNumber(option: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${option} must be a whole number above 0.`);
  return value;
}

function oneOf<Value extends string>(allowed: readonly Value[], option: string, text: string | undefined): Value {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new Error(`${option} must be one of ${allowed.join(', ')}.`);
  return found;
}
