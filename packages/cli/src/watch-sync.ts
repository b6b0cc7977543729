import { type FollowOptions, isRetry, LEVELS } from '@fjord/engine';
import type { SyncMetrics } from '@fjord/engine/metrics';
import type { LiveView } from './live-view.ts';

/** What a sync tells those who watch it, and `say`, which adds a line of the command's own. */
export type Watching = Pick<FollowOptions, 'onLine' | 'onProgress' | 'onRestart'> &
  Required<Pick<FollowOptions, 'onStart' | 'onWarning'>> & { say(level: 'info' | 'warn', message: string): void };

type Watchers = {
  view: LiveView | undefined;
  metrics: SyncMetrics | undefined;
  /** From which level on lines are shown: unless said, warnings in the live view, and all without it. */
  level?: (typeof LEVELS)[number] | undefined;
};

/** Passes on what a sync tells: to the live view on a terminal, else as JSON lines to stderr; and to the metrics if they are served. */
export function watchSync({ view, metrics, level }: Watchers): Watching {
  const least = LEVELS.indexOf(level ?? (view ? 'warn' : 'debug'));
  const show: (...told: Parameters<typeof showLine>) => void = (line, from) => {
    if (isRetry(line)) view?.countRetry();
    if (line.type === 'LOG' && LEVELS.indexOf(line.level) < least) return;
    if (view) view.log(line);
    else showLine(line, from);
  };
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
