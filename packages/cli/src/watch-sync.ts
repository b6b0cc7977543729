import type { FollowOptions } from '@fjord/engine';
import type { SyncMetrics } from '@fjord/engine/metrics';
import type { LiveView } from './live-view.ts';

/** What a sync tells those who watch it, and `say`, which adds a line of the command's own. */
export type Watching = Pick<FollowOptions, 'onLine' | 'onProgress' | 'onRestart'> &
  Required<Pick<FollowOptions, 'onStart' | 'onWarning'>> & { say(level: 'info' | 'warn', message: string): void };

/** Passes on what a sync tells: to the live view on a terminal, else as JSON lines to stderr; and to the metrics if they are served. */
export function watchSync({
  view,
  metrics,
}: {
  view: LiveView | undefined;
  metrics: SyncMetrics | undefined;
}): Watching {
  const show: (...told: Parameters<typeof showLine>) => void = (line, from) =>
    view ? view.log(line) : showLine(line, from);
  const say = (level: 'info' | 'warn', message: string) =>
    show({ type: 'LOG', level, message, at: new Date().toISOString() }, 'engine');
  return {
    say,
    onLine(line, { role }) {
      metrics?.line(line, role);
      show(line, role);
    },
    onProgress(streams) {
      metrics?.progress(streams);
      view?.show(streams);
    },
    onWarning: (message) => say('warn', message),
    onStart: ({ role }, pid) => metrics?.started(role, pid),
    onRestart(cause, waitMs) {
      metrics?.restarted();
      say('warn', `the sync begins again in ${(waitMs / 1000).toFixed(1)} s: ${cause.message}`);
    },
  };
}

function showLine(line: Parameters<FollowOptions['onLine']>[0], from: string): void {
  process.stderr.write(`${JSON.stringify({ ...line, from })}\n`);
}
