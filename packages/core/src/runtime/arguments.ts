import { parseArgs } from 'node:util';
import { ConnectorError } from '../errors.ts';

const VERBS = {
  source: ['spec', 'check', 'discover', 'read', 'verify', 'remove'],
  destination: ['spec', 'check', 'write', 'maintain', 'inspect', 'query', 'verify', 'remove'],
} as const;
/** The verbs that are about streams. */
const STREAM_VERBS: ReadonlySet<string> = new Set([
  'read',
  'write',
  'maintain',
  'inspect',
  'query',
  'verify',
  'remove',
]);
export type Verb = (typeof VERBS)[keyof typeof VERBS][number];

/** Bytes of rows a process may hold when the command does not say. */
const DEFAULT_MEMORY_MB = 256;

/** A connector's command line: `<verb> --config FILE [--streams FILE] [--state FILE] [--format arrow|jsonl] [--memory MB] [--follow] [--backfill STREAM]… [--until FILE] [--repair FILE] [--print-state] [--dry-run] [--sql FILE] [--sums FILE]`. */
export type Arguments = {
  verb: Verb;
  config: string | undefined;
  streams: string | undefined;
  state: string | undefined;
  format: 'arrow' | 'jsonl';
  memoryBytes: number;
  follow: boolean;
  backfill: string[];
  printState: boolean;
  dryRun: boolean;
  sql: string | undefined;
  sums: string | undefined;
  until: string | undefined;
  repair: string | undefined;
};

/** Parses a connector's command line for its kind; `arguments_invalid` says what is wrong with it. */
export function parseArguments(kind: keyof typeof VERBS, argv: string[]): Arguments {
  const { values, positionals } = parse(argv);
  const verb = VERBS[kind].find((name) => name === positionals[0]);
  if (!verb || positionals.length !== 1) {
    throw new ConnectorError('arguments_invalid', `A ${kind} takes one of the verbs ${VERBS[kind].join(', ')}.`);
  }
  const format = values.format ?? 'arrow';
  if (format !== 'arrow' && format !== 'jsonl') {
    throw new ConnectorError('arguments_invalid', `--format is arrow or jsonl, not "${format}".`);
  }
  const memoryMB = Number(values.memory ?? DEFAULT_MEMORY_MB);
  if (!(memoryMB >= 1)) throw new ConnectorError('arguments_invalid', '--memory is a number of megabytes.');
  if (verb !== 'spec' && values.config === undefined) throw missing(verb, '--config');
  if (STREAM_VERBS.has(verb) && values.streams === undefined) throw missing(verb, '--streams');
  if (verb === 'query' && values.sql === undefined) throw missing(verb, '--sql');
  if (verb === 'verify' && values.sums === undefined) throw missing(verb, '--sums');
  return {
    verb,
    config: values.config,
    streams: values.streams,
    state: values.state,
    format,
    memoryBytes: memoryMB * 1024 * 1024,
    follow: values.follow ?? false,
    backfill: values.backfill ?? [],
    printState: values['print-state'] ?? false,
    dryRun: values['dry-run'] ?? false,
    sql: values.sql,
    sums: values.sums,
    until: values.until,
    repair: values.repair,
  };
}

function parse(argv: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        config: text,
        streams: text,
        state: text,
        format: text,
        memory: text,
        follow: { type: 'boolean' },
        backfill: { ...text, multiple: true },
        'print-state': { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        sql: text,
        sums: text,
        until: text,
        repair: text,
      },
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectorError('arguments_invalid', message, { cause });
  }
}

const missing = (verb: Verb, option: string) =>
  new ConnectorError('arguments_invalid', `The verb ${verb} needs ${option} FILE.`);
