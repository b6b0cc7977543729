import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { HELP, VERBS, type Verb } from './help.ts';

const { version }: { version: string } = createRequire(import.meta.url)('../package.json');

/** What the command line says, beyond its verb. */
export type Arguments = {
  file: string;
  json: boolean;
  options: Record<string, string | boolean | string[] | undefined>;
};

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
  const args = { file: positionals[1] ?? 'pipeline.yaml', json: values.json ?? false, options: values };
  return runVerb(verb, args);
}

async function runVerb(verb: Verb, args: Arguments): Promise<number> {
  switch (verb) {
    case 'sync':
      return (await import('./sync.ts')).sync(args);
    case 'maintain':
      return (await import('./maintain.ts')).maintain(args);
    case 'init':
      return (await import('./init.ts')).init(args);
    case 'check':
      return (await import('./inspect.ts')).check(args);
    case 'discover':
      return (await import('./inspect.ts')).discover(args);
    case 'state':
      return (await import('./inspect.ts')).state(args);
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
        force: flag,
        memory: text,
        follow: flag,
        backfill: { ...text, multiple: true },
        stream: { ...text, multiple: true },
        'dry-run': flag,
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
