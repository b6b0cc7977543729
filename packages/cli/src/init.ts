import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { editorSchema } from '@fjord/engine';
import { ask, type Question } from './ask.ts';
import { adviseStreams } from './init-advice.ts';
import type { Arguments } from './main.ts';

/** What a pipeline cannot do without, and what is asked for on a terminal when no flag says anything. */
const NEEDED = ['host', 'database', 'user', 'warehouse'];
const DEFAULT_MATCH = 'public.*';
const QUESTIONS: Question[] = [
  { option: 'host', text: 'PostgreSQL host', fallback: 'localhost' },
  { option: 'port', text: 'Port', fallback: '5432' },
  { option: 'database', text: 'Database' },
  { option: 'user', text: 'User' },
  {
    option: 'password',
    text: 'Where the password is, as a reference: ${env:NAME} or ${file:path}',
    fallback: '${env:PGPASSWORD}',
  },
  { option: 'tls', text: 'TLS: verify-full, verify-ca, require or disable', fallback: 'verify-full' },
  { option: 'warehouse', text: 'Warehouse: a folder, or s3://BUCKET/PREFIX', fallback: './warehouse' },
  { option: 'match', text: 'Tables to copy, a pattern over schema.table', fallback: DEFAULT_MATCH },
];

/**
 * `fjord init`: writes a commented pipeline file and its schema for editors, from flags, or from answers where it runs on a terminal and
 * no flag names the source. Never overwrites without --force.
 */
export async function init({ file, options }: Arguments): Promise<number> {
  if (existsSync(file) && options['force'] !== true) {
    return refuse(`${file} exists.`, 'Give another file, or --force to overwrite it.');
  }
  const flags = Object.fromEntries(Object.entries(options).filter((entry) => typeof entry[1] === 'string'));
  const isAsking = process.stdin.isTTY && process.stdout.isTTY && !NEEDED.some((name) => name in flags);
  const answers = isAsking ? await ask(QUESTIONS, { input: process.stdin, output: process.stdout }) : {};
  if (!answers) return 130;
  const values: Arguments['options'] = { ...answers, ...flags };
  const text = (name: string) => (typeof values[name] === 'string' ? values[name] : undefined);
  const missing = NEEDED.filter((name) => text(name) === undefined);
  if (missing.length > 0) {
    return refuse(`init needs ${missing.map((name) => `--${name}`).join(', ')}.`, 'See fjord init --help.');
  }
  const password = text('password');
  if (isAsking && password !== undefined && !/\$\{(env|file):[^}]+\}/.test(password)) {
    return refuse('The password is no reference.', 'Put it into an environment variable or a file, and name that.');
  }
  const folder = path.dirname(path.resolve(file));
  mkdirSync(path.join(folder, '.fjord'), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(folder, '.fjord/pipeline.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`);
  const id = pipelineId(text('database'));
  writeFileSync(file, pipelineText(id, '', text));
  const { entries, notes } = await adviseStreams(file, text('match') ?? DEFAULT_MATCH);
  if (entries !== '') writeFileSync(file, pipelineText(id, entries, text));
  for (const note of notes) process.stdout.write(`${note}\n`);
  process.stdout.write(`Wrote ${file}. Next: fjord check, fjord discover, fjord sync.\n`);
  return 0;
}

function refuse(error: string, fix: string): number {
  process.stderr.write(`error: ${error}\nfix: ${fix}\n`);
  return 2;
}

/** The id names the pipeline in the state of its tables for ever, so it is drawn here and never derived from the file's name. */
function pipelineId(database = 'pipeline'): string {
  return `${database.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${randomBytes(4).toString('hex')}`;
}

function pipelineText(id: string, entries: string, text: (name: string) => string | undefined): string {
  const quoted = (name: string, fallback = '') => JSON.stringify(text(name) ?? fallback);
  return `# yaml-language-server: $schema=./.fjord/pipeline.schema.json
# Names this pipeline in the state of its tables. Do not change it.
id: ${id}
source:
  connector: ${quoted('source', 'postgres')}
  config:
    host: ${quoted('host')}
    port: ${Number(text('port') ?? 5432)}
    database: ${quoted('database')}
    user: ${quoted('user')}
    # Best as a reference: \${env:NAME} or \${file:path}.
    password: ${quoted('password', '${env:PGPASSWORD}')}
    tls: { mode: ${quoted('tls', 'verify-full')} }
destination:
  connector: ${quoted('destination', 'iceberg')}
  config:
    warehouse: ${quoted('warehouse')}
streams:
  # Patterns over schema.table; the first entry that matches a table counts.
${entries}  - match: ${quoted('match', DEFAULT_MATCH)}
    writeMode: append # or overwrite: replaced as a whole, in one commit
`;
}
