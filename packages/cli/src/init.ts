import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Message, Stream } from '@fjord/core';
import { editorSchema, findSpec, type NamedConnector, surveySource } from '@fjord/engine';
import { ask } from './ask.ts';
import { choiceQuestions, connectionQuestions, MODES } from './init-questions.ts';
import { adviseStreams } from './init-advice.ts';
import type { Arguments } from './main.ts';
import { DEFAULT_MATCH, drawId, modeLine, pipelineText, sourceConfig, streamText } from './pipeline-text.ts';

/** What a pipeline cannot do without. */
const NEEDED = ['host', 'database', 'user', 'warehouse'];
/** So many streams are shown when they were found. */
const MAX_SHOWN = 20;

/**
 * `fjord init`: writes a commented pipeline file and its schema for editors, from flags, or from answers where it runs on a terminal and
 * no flag names the source: the connection first, then what there is to copy. Never overwrites without --force.
 */
export async function init({ file, options }: Arguments): Promise<number> {
  if (existsSync(file) && options['force'] !== true) {
    return refuse(`${file} exists.`, 'Give another file, or --force to overwrite it.');
  }
  const flags = Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const folder = path.dirname(path.resolve(file));
  const connector = (role: 'source' | 'destination', fallback: string): NamedConnector => ({
    role,
    name: flags[role] ?? fallback,
    folder,
  });
  const source = connector('source', 'postgres');
  const [sourceSpec, destinationSpec] = await Promise.all([
    findSpec(source),
    findSpec(connector('destination', 'iceberg')),
  ]);
  const isAsking = process.stdin.isTTY && process.stdout.isTTY && !NEEDED.some((name) => name in flags);
  const answers = isAsking ? await askAll(source, { spec: sourceSpec, flags }) : { values: flags, streams: [] };
  if (typeof answers === 'number') return answers;
  const { values, streams } = answers;
  const missing = NEEDED.filter((name) => values[name] === undefined);
  if (missing.length > 0) {
    return refuse(`init needs ${missing.map((name) => `--${name}`).join(', ')}.`, 'See fjord init --help.');
  }
  const mode = MODES.find((known) => known === (values['mode'] ?? 'append'));
  if (!mode) return refuse(`There is no mode "${values['mode']}".`, `Choose one of ${MODES.join(', ')}.`);
  writeSchema(folder, [sourceSpec, destinationSpec]);
  const textWith = (entries: string) => pipelineText((name) => values[name], { id, mode, streams, entries });
  const id = drawId(values['database']);
  writeFileSync(file, textWith(''));
  const { entries, notes } = await adviseStreams(file, {
    match: values['match'] ?? DEFAULT_MATCH,
    rows: modeLine(mode),
  });
  if (entries !== '') writeFileSync(file, textWith(entries));
  for (const note of notes) process.stdout.write(`${note}\n`);
  process.stdout.write(`Wrote ${file}. Next: fjord doctor, fjord plan, fjord sync.\n`);
  return 0;
}

type Answers = { values: Record<string, string>; streams: Stream[] };
type Known = { spec: Message<'SPEC'> | undefined; flags: Record<string, string> };

/** Asks for the connection, looks at what is there, and asks what to copy of it. Gives an exit code if it ends before. */
async function askAll(source: NamedConnector, { spec, flags }: Known): Promise<Answers | number> {
  const terminal = { input: process.stdin, output: process.stdout };
  const connection = await ask(connectionQuestions(source.name, spec), terminal);
  if (!connection) return 130;
  const { password } = connection;
  if (password !== undefined && !/\$\{(env|file):[^}]+\}/.test(password)) {
    return refuse('The password is no reference.', 'Put it into an environment variable or a file, and name that.');
  }
  process.stdout.write('Looking at what is there …\n');
  const { problems, streams } = await surveySource(
    source,
    sourceConfig((name) => connection[name]),
  );
  for (const { message, fix } of problems) process.stdout.write(`problem: ${message}\n  fix: ${fix}\n`);
  if (streams.length > 0) showStreams(streams);
  else process.stdout.write('The questions go on all the same; fjord doctor looks again.\n');
  const choices = await ask(choiceQuestions(streams), terminal);
  return choices ? { values: { ...connection, ...choices, ...flags }, streams } : 130;
}

function showStreams(streams: readonly Stream[]): void {
  const largest = streams.toSorted((a, b) => (b.estimatedBytes ?? 0) - (a.estimatedBytes ?? 0)).slice(0, MAX_SHOWN);
  for (const stream of largest) process.stdout.write(`  ${streamText(stream)}\n`);
  const more = streams.length - largest.length;
  if (more > 0) process.stdout.write(`  and ${more} more\n`);
}

type Specs = [Message<'SPEC'> | undefined, Message<'SPEC'> | undefined];

/** What editors complete the file by. */
function writeSchema(pipelineFolder: string, [source, destination]: Specs): void {
  const folder = path.join(pipelineFolder, '.fjord');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const schema = editorSchema({
    ...(source && { source: source.config as never }),
    ...(destination && { destination: destination.config as never }),
  });
  writeFileSync(path.join(folder, 'pipeline.schema.json'), `${JSON.stringify(schema, null, 2)}\n`);
}

function refuse(error: string, fix: string): number {
  process.stderr.write(`error: ${error}\nfix: ${fix}\n`);
  return 2;
}
