import { ConnectorError } from '@fjord/core';
import {
  type Failure,
  failureOfThrown,
  LEVELS,
  loadPipeline,
  runFollow,
  runSync,
  type SyncOptions,
  type StreamProgress,
  type SyncResult,
} from '@fjord/engine';
import { failureText } from './failure-text.ts';
import { LiveView } from './live-view.ts';
import type { MetricsServer } from './metrics-server.ts';
import { startProfiling } from './profile.ts';
import { version } from './version.ts';
import type { Arguments } from './main.ts';
import { formatBytes, formatCount, table } from './table-text.ts';
import { watchSync } from './watch-sync.ts';
import { yieldToOthers } from './yield-to-others.ts';

/** `fjord sync`: runs the pipeline, with a live view on a terminal and JSON lines otherwise, and a summary at the end. */
export async function sync(args: Arguments): Promise<number> {
  const view = process.stderr.isTTY && !args.json ? new LiveView(process.stderr) : undefined;
  const stop = watchInterrupts();
  try {
    const pipeline = await loadPipeline(args.file);
    await using server = await serveMetrics(args, pipeline.id);
    // Before anything is started: connectors and their threads inherit it. Where the server shares the machine, it goes first.
    if (pipeline.source.config?.['profile'] === 'gentle') yieldToOthers();
    const { memory, follow, backfill, profile, 'log-level': level } = args.options;
    if (follow && backfill) {
      throw new ConnectorError('arguments_invalid', 'A stream is copied anew by a sync that ends: leave out --follow.');
    }
    await using profiling = typeof profile === 'string' ? await startProfiling(profile) : undefined;
    const watching = watchSync({ view, metrics: server?.metrics, level: logLevel(level) });
    if (server) watching.say('info', `metrics are served at ${server.url}`);
    const options: SyncOptions = {
      ...watching,
      signal: stop.signal,
      ...(profiling && { env: profiling.env }),
      ...(memory !== undefined && { memoryMB: Number(memory) }),
      backfill: Array.isArray(backfill) ? backfill : [],
    };
    const result = follow
      ? await runFollow(pipeline, { ...options, onRestart: watching.onRestart })
      : await runSync(pipeline, options);
    view?.clear();
    process.stdout.write(args.json ? `${JSON.stringify({ type: 'SUMMARY', ...result })}\n` : summary(result));
    for (const failure of failuresToShow(result, args.json)) process.stderr.write(failureText(failure, args.json));
    return result.exitCode;
  } catch (thrown) {
    const failure = failureOfThrown(thrown);
    process.stderr.write(failureText(failure, args.json));
    return failure.exit;
  } finally {
    stop.dispose();
  }
}

/** The level from which on lines are shown; undefined unless it is said. */
function logLevel(named: unknown): (typeof LEVELS)[number] | undefined {
  const level = LEVELS.find((known) => known === named);
  if (named === undefined || level) return level;
  throw new ConnectorError('arguments_invalid', `--log-level is one of ${LEVELS.join(', ')}.`);
}

/** With `--metrics-port` the figures of the sync are served while it runs. */
async function serveMetrics({ options }: Arguments, pipeline: string): Promise<MetricsServer | undefined> {
  const place = options['metrics-port'];
  if (typeof place !== 'string') return undefined;
  const { MetricsServer: Server } = await import('./metrics-server.ts');
  return Server.open(place, { pipeline, version });
}

/** Where some streams failed each reason is said before their names; lines of connectors have been passed on already as JSON. */
function failuresToShow({ failures, cause, exitCode }: SyncResult, json: boolean): Failure[] {
  if (!cause) return [];
  if (exitCode !== cause.exit || cause.code !== 'streams_failed') return [cause];
  return [...failures.filter(({ from }) => !json || from === 'engine'), cause];
}

/** The first Ctrl-C stops resumably; the second one does not wait. */
function watchInterrupts(): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new ConnectorError('interrupted', 'The sync was interrupted.'));
  };
  const terminate = () => controller.abort(new ConnectorError('terminated', 'The sync was asked to stop by SIGTERM.'));
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
    },
  };
}

/** The table that ends a sync. */
export function summary({ streams, seconds }: SyncResult): string {
  if (streams.length === 0) return '';
  const rows = streams.map((stream) => [
    `${stream.stream} -> ${stream.target}`,
    outcomeOf(stream),
    formatCount(stream.rows),
    formatBytes(stream.bytes),
    formatCount(Object.values(stream.rejected).reduce((sum, count) => sum + count, 0)),
  ]);
  const notes = streams
    .flatMap((stream) => [...rejectedNotes(stream), ...stream.notes].map((note) => `${stream.stream}: ${note}\n`))
    .join('');
  const total = streams.reduce((sum, { rows: count }) => sum + count, 0);
  const speed = total > 0 ? `, ${formatCount(total / seconds)} rows/s` : ', nothing new to copy';
  return `${table(['stream', 'status', 'rows', 'size', 'rejected'], rows)}\n${notes}${formatCount(total)} rows in ${seconds.toFixed(1)} s${speed}\n`;
}

/** Names the columns, and the places within them, whose type could not hold all values. */
function rejectedNotes({ rejected }: StreamProgress): string[] {
  const columns = Object.entries(rejected).filter(([, count]) => count > 0);
  if (columns.length === 0) return [];
  return [
    `values that do not fit their column: ${columns.map(([name, count]) => `${name} ${formatCount(count)}`).join(', ')}`,
  ];
}

function outcomeOf({ status, rows, resumed }: StreamProgress): string {
  if (status === 'COMPLETE') return resumed && rows === 0 ? 'up to date' : 'complete';
  return status === 'INCOMPLETE' ? 'failed' : 'unfinished';
}
