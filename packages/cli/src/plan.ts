import { planSync, type StreamPlan, type SyncPlan } from '@fjord/engine';
import type { Arguments } from './main.ts';
import { fitTable, paint, type ScreenColumn, screenWidth, wrap } from './screen.ts';
import { formatBytes, formatCount } from './table-text.ts';
import { withSession } from './with-session.ts';

/** `fjord plan`: what the next sync would read, write, create and change, without asking for a row. */
export function plan(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const planned = await planSync(session);
    process.stdout.write(`${args.json ? JSON.stringify(planned) : planText(planned, screenWidth())}\n`);
    return 0;
  });
}

const COLUMNS: readonly ScreenColumn[] = [
  { title: 'stream', align: 'left' },
  { title: 'sync', align: 'left' },
  { title: '~rows', align: 'right' },
  { title: '~size', align: 'right' },
  { title: 'table', align: 'left' },
];

const ACTIONS: Record<StreamPlan['action'], string> = {
  copy: 'copy',
  resume: 'resume the copy',
  increment: 'what is new',
  changes: 'changes',
  nothing: 'nothing: complete',
};
const TABLES: Record<StreamPlan['table']['action'], string> = {
  create: 'create',
  change: 'change',
  keep: 'keep',
  unknown: '?',
};

/** A plan for a person: a line for each stream, what becomes of its table, and the sum. */
export function planText({ streams, unreadable, consistency, profile }: SyncPlan, width: number | undefined): string {
  const rows = streams.map((stream) => [
    stream.stream,
    `${ACTIONS[stream.action]}${stream.syncMode === 'changes' && stream.action !== 'changes' ? ', changes' : ''}, ${stream.writeMode}`,
    stream.rows === undefined ? '-' : formatCount(stream.rows),
    stream.bytes === undefined ? '-' : formatBytes(stream.bytes),
    `${TABLES[stream.table.action]} ${stream.target}`,
  ]);
  const notes = [
    ...streams.flatMap(({ target, table }) => [
      ...table.changes.map((change) => `${target}: ${change}`),
      ...(table.warning === undefined ? [] : [`${target} ${table.warning}`]),
    ]),
    ...unreadable.map(({ message, fix }) => `left out: ${message}\n  fix: ${fix}`),
  ];
  return [
    fitTable(COLUMNS, rows, width),
    ...(notes.length > 0 ? [notes.map((note) => paint('yellow', wrap(note, { width }))).join('\n')] : []),
    ...sums({ streams, consistency, profile }).map((text) => wrap(text, { width })),
  ].join('\n\n');
}

function sums({
  streams,
  consistency,
  profile,
}: Pick<SyncPlan, 'streams'> & { consistency: string | undefined; profile: string | undefined }): string[] {
  const sum = (field: 'rows' | 'bytes') => streams.reduce((total, stream) => total + (stream[field] ?? 0), 0);
  const created = streams.filter(({ table }) => table.action === 'create').length;
  const changed = streams.filter(({ table }) => table.action === 'change').length;
  const copied = streams.filter(({ action }) => action === 'copy' || action === 'resume').length;
  const followed = streams.filter(({ syncMode }) => syncMode === 'changes').length;
  const how = [
    ...(profile === undefined ? [] : [`profile ${profile}`]),
    ...(consistency === undefined ? [] : [`consistency ${consistency}`]),
  ];
  return [
    `${formatCount(copied)} of ${formatCount(streams.length)} streams are copied: about ${formatCount(sum('rows'))} rows, ${formatBytes(sum('bytes'))} in the source` +
      `${how.length > 0 ? ` (${how.join(', ')})` : ''}. Tables: ${formatCount(created)} to create, ${formatCount(changed)} to change.`,
    ...(followed > 0
      ? [
          `${formatCount(followed)} follow the change log: the server keeps its log for this pipeline until each sync has read it, or \`fjord remove\` gives it up.`,
        ]
      : []),
  ];
}
