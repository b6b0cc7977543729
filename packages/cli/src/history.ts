import { failureOfThrown, Journal, type JournalRun, type JournalStream, loadPipeline } from '@fjord/engine';
import { failureText } from './failure-text.ts';
import { lineText } from './logs.ts';
import type { Arguments } from './main.ts';
import { outcome } from './run-text.ts';
import { fitTable, print, screenWidth } from './screen.ts';
import { wholeNumber } from './whole-number.ts';
import { formatBytes, formatCount } from './table-text.ts';

const DEFAULT_RUNS = 20;
/** The last lines of a run that are shown with it; `fjord logs` has all. */
const SHOWN_LINES = 20;

/** A run and what became of its streams. */
type RunHistory = JournalRun & { streams: JournalStream[] };

/** `fjord history [RUN]`: the runs of the pipeline from this folder, or one of them stream by stream, with its warnings and errors. */
export async function history(args: Arguments): Promise<number> {
  try {
    const pipeline = await loadPipeline(args.file);
    using journal = Journal.read(pipeline);
    if (args.subject !== undefined) return showRun(journal, args);
    const limit = wholeNumber(args.options['lines'] ?? DEFAULT_RUNS, '--lines');
    const runs = (journal?.runs(limit) ?? []).map((run) => ({ ...run, streams: journal?.streams(run.run) ?? [] }));
    print(args.json ? JSON.stringify({ runs }) : historyText(runs, screenWidth()));
    return 0;
  } catch (thrown) {
    const failure = failureOfThrown(thrown);
    process.stderr.write(failureText(failure, args.json));
    return failure.exit;
  }
}

function showRun(journal: Journal | undefined, { subject, json }: Arguments): number {
  const number = wholeNumber(subject, 'The run');
  const run = journal?.runs(Number.MAX_SAFE_INTEGER).find((each) => each.run === number);
  if (!journal || !run) {
    print(json ? JSON.stringify(null) : `No run ${number} is recorded.`);
    return 0;
  }
  const streams = journal.streams(number);
  const lines = journal.lines({ run: number, level: 'info', limit: SHOWN_LINES });
  const width = screenWidth();
  if (json) print(JSON.stringify({ ...run, streams, lines }));
  else {
    const texts = [
      historyText([{ ...run, streams }], width),
      streamsText(streams, width),
      lines.map(lineText).join('\n'),
    ];
    print(texts.filter((text) => text !== '').join('\n\n'));
  }
  return 0;
}

/** The runs for a person, newest first. */
export function historyText(runs: readonly RunHistory[], width: number | undefined): string {
  if (runs.length === 0) return 'No run from this folder is recorded.';
  const columns = [
    { title: 'run', align: 'right' },
    { title: 'begun (UTC)', align: 'left' },
    { title: 'took', align: 'right' },
    { title: 'rows', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'commits', align: 'right' },
    { title: 'rejected', align: 'right' },
    { title: 'ended', align: 'left' },
  ] as const;
  const rows = runs.map(({ streams, ...run }) => {
    const sum = (valueOf: (stream: JournalStream) => number) =>
      streams.reduce((total, stream) => total + valueOf(stream), 0);
    return [
      String(run.run),
      run.startedAt.slice(0, 19).replace('T', ' '),
      run.endedAt === undefined
        ? '-'
        : `${((Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000).toFixed(1)} s`,
      formatCount(sum(({ rows: count }) => count)),
      formatBytes(sum(({ bytes }) => bytes)),
      formatCount(sum(({ commits }) => commits)),
      formatCount(sum(({ rejected }) => Object.values(rejected).reduce((total, count) => total + count, 0))),
      outcome(run),
    ];
  });
  return fitTable(columns, rows, width);
}

function streamsText(streams: readonly JournalStream[], width: number | undefined): string {
  const columns = [
    { title: 'stream', align: 'left' },
    { title: 'status', align: 'left' },
    { title: 'rows', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'commits', align: 'right' },
    { title: 'reason', align: 'left' },
  ] as const;
  const rows = streams.map(({ stream, status, rows: count, bytes, commits, reason = '' }) => [
    stream,
    status.toLowerCase(),
    formatCount(count),
    formatBytes(bytes),
    formatCount(commits),
    reason,
  ]);
  return fitTable(columns, rows, width);
}
