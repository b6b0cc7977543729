import type { Message, TableContents } from '@fjord/core';
import { formatBytes, formatCount, table } from './table-text.ts';

/** Snapshots that are shown; `--json` has them all. */
const SHOWN_SNAPSHOTS = 5;

/** One line for each table, and below them what a reader would feel. */
export function overview(tables: readonly Message<'TABLE'>[]): string {
  const rows = tables.map(({ table: name, contents }) =>
    contents
      ? [
          name,
          formatCount(contents.files.rows),
          formatCount(contents.files.count),
          formatBytes(contents.files.bytes),
          formatCount(contents.files.deletedPositions + contents.files.deletedKeys),
          formatCount(contents.snapshots.length),
          contents.snapshots[0]?.at.slice(0, 16).replace('T', ' ') ?? '-',
        ]
      : [name, 'not there yet', '', '', '', '', ''],
  );
  const notes = tables.flatMap(({ table: name, contents }) =>
    (contents?.health ?? []).map(({ message, fix }) => `${name}: ${message}\n  fix: ${fix}`),
  );
  const head = ['table', 'rows', 'files', 'size', 'deletes', 'snapshots', 'last commit (UTC)'];
  return [table(head, rows), ...notes].join('\n');
}

/** All about one table, for a person. */
export function tableText({ table: name, stream, contents }: Message<'TABLE'>, now: number): string {
  if (!contents) return `${name} is not there yet: the next sync of stream ${stream} makes it.`;
  const { columns, health } = contents;
  const key = new Set(contents.key);
  const columnRows = columns.map(({ name: column, type, nullable, doc }) =>
    [
      `  ${column}`,
      type,
      ...(key.has(column) ? ['key'] : nullable ? [] : ['not null']),
      ...(doc ? [`-- ${doc}`] : []),
    ].join(' '),
  );
  const sections = [
    [`${name}  (${contents.format}, stream ${stream})`, `  ${contents.location}`],
    ['Columns', ...columnRows],
    layout(contents),
    files(contents.files),
    snapshots(contents, now),
    health.length === 0
      ? ['Health', '  nothing to mend']
      : ['Health', ...health.flatMap(({ message, fix }) => [`  ${message}`, `    fix: ${fix}`])],
  ];
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

function layout({ partition, sort, properties }: TableContents): string[] {
  return [
    'Layout',
    `  partitioned by ${partition.join(', ') || 'nothing'}`,
    `  sorted by ${sort.join(', ') || 'nothing'}`,
    ...Object.entries(properties).map(([property, value]) => `  ${property} = ${value}`),
  ];
}

/** Rows are those in the data files: some may be deleted. */
function files(of: TableContents['files']): string[] {
  const lines = [
    'Files',
    `  ${formatCount(of.count)} data files, ${formatBytes(of.bytes)}, ${formatCount(of.rows)} rows, in ${formatCount(of.manifests)} manifests`,
  ];
  if (of.count > 1)
    lines.push(
      `  smallest ${formatBytes(of.smallestBytes)}, median ${formatBytes(of.medianBytes)}, largest ${formatBytes(of.largestBytes)}`,
    );
  if (of.deleteFiles === 0) return [...lines, '  no deletes'];
  const rows = [
    ...(of.deletedPositions > 0 ? [`${formatCount(of.deletedPositions)} rows`] : []),
    ...(of.deletedKeys > 0 ? [`${formatCount(of.deletedKeys)} keys`] : []),
  ];
  lines.push(
    `  ${rows.join(' and ')} deleted by ${formatCount(of.deleteFiles)} delete files, ${formatBytes(of.deleteBytes)}`,
  );
  return lines;
}

function snapshots({ snapshots: all }: TableContents, now: number): string[] {
  const [newest] = all;
  if (!newest) return ['Snapshots', '  none: the table is empty'];
  const rows = all.slice(0, SHOWN_SNAPSHOTS).map(({ id, at, operation, summary }) => {
    const counts = ['added-records', 'deleted-records', 'added-position-deletes', 'added-equality-deletes']
      .flatMap((field) => (summary[field] === undefined ? [] : [`${field} ${formatCount(Number(summary[field]))}`]))
      .join(', ');
    return `  ${at}  ${id}  ${operation}${counts === '' ? '' : `  ${counts}`}`;
  });
  const more = all.length - rows.length;
  return [
    `Snapshots: ${formatCount(all.length)}, the last commit ${age(now - Date.parse(newest.at))} ago`,
    ...rows,
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}

/** `3 days`, `2 hours`: the greatest unit of which there are two or more. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  for (const [unit, length] of [
    ['days', 86_400],
    ['hours', 3_600],
    ['minutes', 60],
  ] as const) {
    if (seconds >= 2 * length) return `${formatCount(Math.floor(seconds / length))} ${unit}`;
  }
  return `${seconds} seconds`;
}
