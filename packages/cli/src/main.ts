import { parseArgs } from 'node:util';
import { HELP, VERBS, type Verb } from './help.ts';
import { version } from './version.ts';

/** What the command line says, beyond its verb. */
export type Arguments = {
  file: string;
  json: boolean;
  options: Record<string, string | boolean | string[] | undefined>;
  /** What the verb is about, of those that take it before the file: a table, a statement. */
  subject?: string | undefined;
  /** The same where it may be several: patterns of streams. */
  subjects?: string[];
};

const WITH_SUBJECT: ReadonlySet<Verb> = new Set(['table', 'query', 'preview', 'history', 'add', 'completion']);
const DEFAULT_FILE = 'pipeline.yaml';
const PIPELINE_FILE = /\.ya?ml$/i;

/** Runs the command line; resolves with the exit code of docs/errors.md. Each verb is loaded when it is asked for. */
export async function main(argv: string[]): Promise<number> {
  const parsed = parse(argv);
  if (typeof parsed === 'string') {
    process.stderr.write(`error: ${parsed}\nfix: Run fjord --help to see its verbs and options.\n`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.version) return print(version);
  const verb = VERBS.find((name) => name === positionals[0]);
  if (values.help || positionals.length === 0) return print(HELP[verb ?? 'fjord']);
  if (!verb) {
    process.stderr.write(`error: There is no verb "${positionals[0]}".\nfix: The verbs are ${VERBS.join(', ')}.\n`);
    return 2;
  }
  const placed = placeArguments(verb, positionals.slice(1));
  return runVerb(verb, { ...placed, json: values.json ?? false, options: values });
}

/** A file that is called as pipelines are may stand before or after what the verb is about. */
function placeArguments(verb: Verb, rest: string[]): Pick<Arguments, 'file' | 'subject' | 'subjects'> {
  if (verb === 'verify') {
    const file = rest.find((argument) => PIPELINE_FILE.test(argument));
    return { file: file ?? DEFAULT_FILE, subjects: rest.filter((argument) => argument !== file) };
  }
  if (!WITH_SUBJECT.has(verb)) return { file: rest[0] ?? DEFAULT_FILE, subject: undefined };
  const found = rest.findIndex((argument) => PIPELINE_FILE.test(argument));
  const [file] = found < 0 ? rest.slice(1) : rest.splice(found, 1);
  return { file: file ?? DEFAULT_FILE, subject: rest[0] };
}

async function runVerb(verb: Verb, args: Arguments): Promise<number> {
  switch (verb) {
    case 'sync':
      return (await import('./sync.ts')).sync(args);
    case 'verify':
      return (await import('./verify.ts')).verify(args);
    case 'maintain':
      return (await import('./maintain.ts')).maintain(args);
    case 'remove':
      return (await import('./remove.ts')).remove(args);
    case 'init':
      return (await import('./init.ts')).init(args);
    case 'check':
      return (await import('./inspect.ts')).check(args);
    case 'doctor':
      return (await import('./doctor.ts')).doctor(args);
    case 'plan':
      return (await import('./plan.ts')).plan(args);
    case 'preview':
      return (await import('./preview.ts')).preview(args);
    case 'status':
      return (await import('./status.ts')).status(args);
    case 'history':
      return (await import('./history.ts')).history(args);
    case 'logs':
      return (await import('./logs.ts')).logs(args);
    case 'add':
      return (await import('./add.ts')).add(args);
    case 'completion':
      return (await import('./completion.ts')).completion(args);
    case 'discover':
      return (await import('./inspect.ts')).discover(args);
    case 'state':
      return (await import('./inspect.ts')).state(args);
    case 'table':
      return (await import('./table.ts')).showTables(args);
    case 'query':
      return (await import('./query.ts')).query(args);
    case 'spec':
      return (await import('./inspect.ts')).spec(args);
    default:
      return verb satisfies never;
  }
}

function parse(argv: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        version: flag,
        help: { ...flag, short: 'h' },
        json: flag,
        csv: flag,
        force: flag,
        memory: text,
        follow: flag,
        repair: flag,
        backfill: { ...text, multiple: true },
        stream: { ...text, multiple: true },
        'dry-run': flag,
        rows: text,
        run: text,
        level: text,
        lines: text,
        'metrics-port': text,
        'log-level': text,
        profile: text,
        mode: text,
        source: text,
        destination: text,
        host: text,
        port: text,
        database: text,
        user: text,
        password: text,
        tls: text,
        warehouse: text,
        match: text,
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
