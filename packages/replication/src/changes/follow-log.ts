import type { RunContext, SelectedStream } from '@fjord/core';
import { retrying } from '../backoff.ts';
import type { ChangeLog, LogPosition } from '../change-log.ts';
import type { ChangeFlow } from './change-flow.ts';

export type FollowParts = {
  changeLog: ChangeLog;
  flow: ChangeFlow;
  streams: SelectedStream[];
  batchBytes: number;
  spillFolder: string;
  retrySeconds: number;
  /** Called after each event. */
  onEvent(): void;
};

/**
 * Gives the log's events to the flow from where it stands: up to `until`, or else until `stop`. A connection that is lost, a server that
 * restarts or fails over, is waited for; the log then goes on after the last transaction that was taken whole.
 */
export async function followLog(
  parts: FollowParts,
  { until, stop }: { until?: LogPosition; stop?: AbortSignal },
  context: RunContext,
): Promise<void> {
  const { changeLog, flow, streams, batchBytes, spillFolder, retrySeconds } = parts;
  const signal = stop ? AbortSignal.any([context.signal, stop]) : context.signal;
  const limit = until === undefined ? {} : { until };
  await retrying(
    async (moved) => {
      try {
        const request = { from: flow.place.position, ...limit, streams, batchBytes, spillFolder, signal };
        for await (const event of changeLog.follow(request)) {
          await flow.take(event);
          await flow.loads.untilRoom();
          moved();
          parts.onEvent();
        }
        if (until !== undefined) {
          await flow.take({ event: 'heartbeat', position: until, orderKey: changeLog.orderKey(until) });
        } else if (!signal.aborted) throw new Error('the change log ended by itself');
      } catch (error) {
        if (!stop?.aborted || context.signal.aborted) throw error;
      }
    },
    {
      retrySeconds,
      signal: context.signal,
      onFault: ({ code, message }, attempt) =>
        context.log('warn', 'the change log was interrupted', { code, error: message, attempt }),
    },
  );
  context.signal.throwIfAborted();
}
