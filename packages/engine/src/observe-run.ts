import type { Pipeline } from './pipeline.ts';
import { RunRecording } from './run-recording.ts';
import { openRunTrace } from './run-trace.ts';
import type { SyncOptions, SyncResult } from './sync.ts';

/** Runs a sync such that the pipeline's journal has it, and, where traces are asked for, one trace that the connectors continue. */
export async function observeRun(
  pipeline: Pipeline,
  options: SyncOptions,
  run: (options: SyncOptions) => Promise<SyncResult>,
): Promise<SyncResult> {
  using recording = new RunRecording(pipeline, options.follow ? 'follow' : 'once');
  const traced = await openRunTrace(pipeline, (message) => options.onWarning?.(message));
  const result = await run({
    ...options,
    ...(traced && { env: { ...options.env, TRACEPARENT: traced.traceparent } }),
    onLine(line, connector) {
      recording.line(line, connector.role);
      options.onLine(line, connector);
    },
    onProgress(streams) {
      recording.progress(streams);
      options.onProgress(streams);
    },
  });
  await traced?.end(result.cause);
  recording.end(result);
  return result;
}
