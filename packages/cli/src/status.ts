import type { Message } from '@fjord/core';
import { Journal, type JournalRun, type JournalStream } from '@fjord/engine';
import type { Arguments } from './main.ts';
import { outcome, since } from './run-text.ts';
import { fitTable, screenWidth, wrap } from './screen.ts';
import { formatBytes, formatCount } from './table-text.ts';
import { age } from './table-view.ts';
import { withSession } from './with-session.ts';

/** What is known of one stream: from the destination what is durable, from the journal of this folder how the last run went. */
type StreamStatus = {
  stream: string;
  target: string;
  phase: string;
  rows?: number;
  committedAt?: string;
  lastRun?: JournalStream;
};

/** `fjord status`: where each stream is, by the destination's own state, and how the last run went, by the journal. */
export function status(args: Arguments): Promise<number> {
  return withSession(args, async (session) => {
    const { selected, file } = await session.selectTables();
    const [states, tables] = await Promise.all([session.states(file), session.tables(file)]);
    using journal = Journal.read(session.pipeline);
    const run = journal?.runs(1)[0];
    const lastRuns = new Map(journal && run ? journal.streams(run.run).map((stream) => [stream.stream, stream]) : []);
    const streams = selected.map(({ stream, target }) =>
      statusOf(
        { stream, target: [...target.namespace, target.name].join('.') },
        {
          state: states.find((state) => state.stream === stream)?.state,
          table: tables.find((table) => table.stream === stream),
          lastRun: lastRuns.get(stream),
        },
      ),
    );
    const text = args.json
      ? JSON.stringify({ pipeline: session.pipeline.id, run: run ?? null, streams })
      : statusText({ run, streams }, { now: Date.now(), width: screenWidth() });
    process.stdout.write(`${text}\n`);
    return 0;
  });
}

function statusOf(
  names: Pick<StreamStatus, 'stream' | 'target'>,
  known: { state: unknown; table: Message<'TABLE'> | undefined; lastRun: JournalStream | undefined },
): StreamStatus {
  const { state, lastRun } = known;
  const contents = known.table?.contents;
  const phase = typeof state === 'object' && state !== null && 'phase' in state ? state.phase : undefined;
  const committedAt = contents?.snapshots[0]?.at;
  return {
    ...names,
    phase: typeof phase === 'string' ? phase : state === undefined || state === null ? 'nothing yet' : 'complete',
    ...(contents && { rows: Math.max(0, contents.files.rows - contents.files.deletedPositions) }),
    ...(committedAt !== undefined && { committedAt }),
    ...(lastRun && { lastRun }),
  };
}

/** The status for a person, a line each. */
export function statusText(
  { run, streams }: { run: JournalRun | undefined; streams: readonly StreamStatus[] },
  { now, width }: { now: number; width: number | undefined },
): string {
  const rows = streams.map(({ stream, phase, rows: count, committedAt, lastRun }) => [
    stream,
    phase,
    count === undefined ? '-' : formatCount(count),
    committedAt === undefined ? '-' : `${age(now - Date.parse(committedAt))} ago`,
    lastRun ? lastRunText(lastRun) : '-',
  ]);
  const columns = [
    { title: 'stream', align: 'left' },
    { title: 'state', align: 'left' },
    { title: 'rows', align: 'right' },
    { title: 'last commit', align: 'right' },
    { title: 'last run', align: 'left' },
  ] as const;
  const reasons = streams.flatMap(({ stream, lastRun }) =>
    lastRun?.reason === undefined ? [] : [`${stream}: ${lastRun.reason}`],
  );
  return [
    fitTable(columns, rows, width),
    ...(reasons.length > 0 ? [reasons.map((reason) => wrap(reason, { width })).join('\n')] : []),
    run ? `Run ${run.run}: ${outcome(run)}, ${since(run, now)}.` : 'No run from this folder is recorded.',
  ].join('\n\n');
}

function lastRunText({ status: ended, rows, lagBytes, lagSeconds }: JournalStream): string {
  if (lagBytes !== undefined && ended === 'RUNNING') {
    return lagSeconds === undefined ? `${formatBytes(lagBytes)} behind` : `${lagSeconds.toFixed(1)} s behind`;
  }
  return ended === 'INCOMPLETE' ? 'failed' : `${formatCount(rows)} rows`;
}
