import { randomBytes } from 'node:crypto';
import type { Stream } from '@fjord/core';
import type { Mode } from './init-questions.ts';
import { formatBytes, formatCount } from './table-text.ts';

/** What is copied unless something else is said. */
export const DEFAULT_MATCH = 'public.*';
/** So many streams are listed in a new pipeline file, the largest first. */
const MAX_LISTED = 40;

const MODE_LINES: Record<Mode, string> = {
  changes: 'syncMode: changes # a copy, then every insert, update and delete; tables without a key are appended to',
  overwrite: 'writeMode: overwrite # replaced as a whole in one commit, each time',
  append: 'writeMode: append # or overwrite: replaced as a whole, in one commit',
};

/** What a new pipeline says, by the names of init's flags. */
export type PipelineValues = (name: string) => string | undefined;

/** The config of the source that the values make. `tls` is an object, since more options belong to it. */
export function sourceConfig(value: PipelineValues): Record<string, unknown> {
  const [port, password, tls] = [value('port'), value('password'), value('tls')];
  return {
    host: value('host'),
    ...(port !== undefined && { port: Number(port) }),
    database: value('database'),
    user: value('user'),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: { mode: tls } }),
  };
}

/** An id for a new pipeline. It names the pipeline in the state of its tables for ever, so it is drawn and never derived from the file's name. */
export function drawId(database = 'pipeline'): string {
  return `${database.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${randomBytes(4).toString('hex')}`;
}

/** What a new pipeline chooses: `entries` are YAML for single streams, before the one for all. */
export type PipelineChoices = { id: string; mode: Mode; streams: readonly Stream[]; entries: string };

/** The line of an entry that says how rows reach its tables. */
export const modeLine = (mode: Mode): string => MODE_LINES[mode];

/** The text of a new pipeline file, with a comment at each choice and the tables there are. */
export function pipelineText(value: PipelineValues, { id, mode, streams, entries }: PipelineChoices): string {
  const quoted = (name: string, fallback = '') => JSON.stringify(value(name) ?? fallback);
  const port = value('port');
  return `# yaml-language-server: $schema=./.fjord/pipeline.schema.json
# Names this pipeline in the state of its tables. Do not change it.
id: ${id}
source:
  connector: ${quoted('source', 'postgres')}
  config:
    host: ${quoted('host')}
${port === undefined ? '' : `    port: ${Number(port)}\n`}    database: ${quoted('database')}
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
    ${MODE_LINES[mode]}
    # exclude: [public.audit_*]
    # Filters, columns, transforms, partitions, table names: docs/streams.md
${listing(streams)}`;
}

/** Comments: what can be chosen from. */
function listing(streams: readonly Stream[]): string {
  if (streams.length === 0) return '';
  const largest = streams.toSorted((a, b) => (b.estimatedBytes ?? 0) - (a.estimatedBytes ?? 0)).slice(0, MAX_LISTED);
  const lines = largest.map((stream) => `#   ${streamText(stream)}\n`).join('');
  const more = streams.length - largest.length;
  return `# There are, by size:\n${lines}${more > 0 ? `#   and ${formatCount(more)} more\n` : ''}`;
}

/** `public.orders  1,200,000 rows  83.1 MB  key id`. */
export function streamText({ stream, estimatedRows, estimatedBytes, primaryKey, unreadable }: Stream): string {
  return [
    stream,
    ...(estimatedRows === undefined ? [] : [`${formatCount(estimatedRows)} rows`]),
    ...(estimatedBytes === undefined ? [] : [formatBytes(estimatedBytes)]),
    primaryKey.length > 0 ? `key ${primaryKey.join(', ')}` : 'no key',
    ...(unreadable ? ['cannot be read yet'] : []),
  ].join('  ');
}
