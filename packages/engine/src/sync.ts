import path from 'node:path';
import { ConnectorError, ERROR_CODES, type Message, type Repair, type Selection } from '@fjord/core';
import { agreeOnFormat } from './ask-connector.ts';
import { ConnectorProcess, type OperatorLine } from './connector-process.ts';
import { decodeMessage } from './decode-message.ts';
import { type Failure, findCause, toFailure } from './failure.ts';
import { observeRun } from './observe-run.ts';
import type { Pipeline } from './pipeline.ts';
import { ProgressTracker, type StreamProgress } from './progress.ts';
import type { Connector } from './resolve-connector.ts';
import { requireKnown, requireShapes, requireWriteModes } from './connector-support.ts';
import { failureOfThrown, type Selected, Session } from './session.ts';
import { rememberSelection } from './selection-cache.ts';
import { StateCache } from './state-cache.ts';

/** How long a connector may live after its work is done, or was told to stop: it has lines to write and connections to close. */
const END_DEADLINE_MS = 9_000;

export type SyncOptions = {
  signal: AbortSignal;
  /** Variables that connectors get besides those of this process. */
  env?: Record<string, string>;
  /** Upper bound for the bytes of rows in flight, shared by both connectors; their own default unless said. */
  memoryMB?: number;
  /** Go on with the change log until the signal. */
  follow?: boolean;
  /** Streams that are copied anew; readers keep the old rows until all of the new ones are there. */
  backfill?: readonly string[];
  /** Only the streams that follow the change log, up to this place of it (its head where that is undefined); rows to send again by stream. */
  changes?: { until: unknown; repair: Repair['streams'] };
  onLine(line: OperatorLine, connector: Connector): void;
  /** Called whenever a stream has moved, many times a second where there are many; `streams` gives all of them as they are then. */
  onProgress(streams: () => StreamProgress[]): void;
  /** Called with what the engine itself has to warn of. */
  onWarning?(message: string): void;
  /** Called when a connector was started for the run. */
  onStart?(connector: Connector, pid: number): void;
};

/** What became of a run. `exitCode` follows docs/errors.md: 0 only if every selected stream is complete. */
export type SyncResult = {
  exitCode: number;
  streams: StreamProgress[];
  failures: Failure[];
  cause: Failure | undefined;
  seconds: number;
};

/**
 * Runs a pipeline once, from what its tables already hold to the end of every selected stream, and records the run in the pipeline's
 * journal. Never rejects: faults are in the result.
 */
export function runSync(pipeline: Pipeline, options: SyncOptions): Promise<SyncResult> {
  return observeRun(pipeline, options, (observed) => runOnce(pipeline, observed));
}

async function runOnce(pipeline: Pipeline, options: SyncOptions): Promise<SyncResult> {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  try {
    await using session = await Session.open(pipeline, options);
    const [specs, catalog] = await Promise.all([session.specs(), session.catalog()]);
    const selection = await session.select(catalog);
    await rememberSelection(pipeline, { pipeline: pipeline.id, streams: selection.selected });
    requireShapes(specs[0], selection.selected);
    requireWriteModes(specs[1], selection.selected);
    requireKnown(options.backfill ?? [], selection.selected);
    const chosen = options.changes ? await onlyFollowed(session, selection) : selection;
    await using run = new SyncRun(session, { ...chosen, format: agreeOnFormat(...specs) }, options);
    return { ...(await run.toEnd()), seconds: seconds() };
  } catch (thrown) {
    const failure = options.signal.aborted ? stopped(options.signal) : failureOfThrown(thrown);
    return { exitCode: failure.exit, streams: [], failures: [failure], cause: failure, seconds: seconds() };
  }
}

async function onlyFollowed(session: Session, { selected }: Selected): Promise<Selected> {
  const streams = selected.filter(({ changes }) => changes);
  const selection: Selection = { pipeline: session.pipeline.id, streams };
  return { selected: streams, unreadable: [], file: await session.folder.write('followed.json', selection) };
}

type Plan = Selected & { format: 'arrow' | 'jsonl' };

/** One destination and one source at work, the source's stdout being the destination's stdin. */
class SyncRun implements AsyncDisposable {
  readonly #session: Session;
  readonly #plan: Plan;
  readonly #options: SyncOptions;
  readonly #tracker: ProgressTracker;
  readonly #cache: StateCache;
  readonly #started = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  #hasStarted = false;
  #isComplete = false;
  #destination: ConnectorProcess | undefined;
  #source: ConnectorProcess | undefined;

  constructor(session: Session, plan: Plan, options: SyncOptions) {
    this.#session = session;
    this.#plan = plan;
    this.#options = options;
    this.#tracker = new ProgressTracker(plan.selected);
    for (const { message, ...stream } of plan.unreadable) this.#tracker.leaveOut({ ...stream, reason: message });
    const { folder, id } = session.pipeline;
    this.#cache = new StateCache(path.join(folder, '.fjord', id, 'state.json'));
  }

  async toEnd(): Promise<Omit<SyncResult, 'seconds'>> {
    const { signal } = this.#options;
    const destination = this.#startDestination();
    await Promise.race([this.#started.promise, destination.ended]);
    if (!destination.hasEnded && !signal.aborted) {
      const source = await this.#startSource(destination);
      const stop = () => void source.stop(END_DEADLINE_MS);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      await Promise.race([this.#finished.promise, destination.ended]);
      // "Done" is a message; the ends of both processes get a deadline each.
      await Promise.all([source.endWithin(END_DEADLINE_MS), destination.endWithin(END_DEADLINE_MS)]);
      signal.removeEventListener('abort', stop);
    }
    await this.#cache.save().catch(() => undefined);
    return this.#result();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source?.[Symbol.asyncDispose]();
    await this.#destination?.[Symbol.asyncDispose]();
    await this.#cache[Symbol.asyncDispose]();
  }

  #startDestination(): ConnectorProcess {
    const { destination, configs, context } = this.#session;
    this.#destination = new ConnectorProcess({
      ...context,
      connector: destination,
      args: [
        'write',
        '--config',
        configs.destination,
        '--streams',
        this.#plan.file,
        ...this.#memory(),
        ...this.#follow(),
      ],
      stdin: 'pipe',
      onLine: (line) => this.#takeLine(line, destination),
      onMessage: (message) => this.#takeMessage(message, destination),
    });
    this.#tellStart(this.#destination);
    return this.#destination;
  }

  async #startSource(destination: ConnectorProcess): Promise<ConnectorProcess> {
    const { source, configs, context, folder } = this.#session;
    const state = await folder.write('state.json', this.#cache.states);
    const files = ['--config', configs.source, '--streams', this.#plan.file, '--state', state];
    if (!destination.stdin) throw new Error('the destination was started with a pipe');
    this.#source = new ConnectorProcess({
      ...context,
      connector: source,
      args: [
        'read',
        ...files,
        '--format',
        this.#plan.format,
        ...this.#memory(),
        ...this.#changes(),
        ...(await this.#goal()),
      ],
      stdin: 'pipe',
      stdout: destination.stdin,
      onLine: (line) => this.#takeLine(line, source),
    });
    this.#tellStart(this.#source);
    return this.#source;
  }

  #tellStart({ connector, pid }: ConnectorProcess): void {
    if (pid !== undefined) this.#options.onStart?.(connector, pid);
  }

  #memory(): string[] {
    const { memoryMB } = this.#options;
    return memoryMB === undefined ? [] : ['--memory', String(memoryMB)];
  }

  #follow(): string[] {
    return this.#options.follow ? ['--follow'] : [];
  }

  #changes(): string[] {
    const { backfill = [] } = this.#options;
    return [...this.#follow(), ...backfill.flatMap((stream) => ['--backfill', stream])];
  }

  async #goal(): Promise<string[]> {
    const { until, repair = {} } = this.#options.changes ?? {};
    const { folder } = this.#session;
    const goal = until === undefined ? [] : ['--until', await folder.write('until.json', { position: until })];
    if (Object.keys(repair).length === 0) return goal;
    return [...goal, '--repair', await folder.write('repair.json', { streams: repair })];
  }

  #takeLine(line: OperatorLine, connector: Connector): void {
    if (line.type === 'PROGRESS') {
      this.#tracker.take(line, connector.role);
      this.#options.onProgress(() => this.#tracker.streams);
    }
    this.#options.onLine(line, connector);
  }

  #takeMessage(message: unknown, { name }: Connector): void {
    const state = decodeMessage(message, 'STATE', name);
    if (state) return this.#takeState(state);
    const status = decodeMessage(message, 'STATUS', name);
    if (!status) return;
    if (status.stream !== undefined) this.#tracker.end(status);
    else if (status.status === 'STARTED') {
      this.#hasStarted = true;
      this.#started.resolve();
    } else {
      this.#isComplete = status.status === 'COMPLETE';
      this.#finished.resolve();
    }
    this.#options.onProgress(() => this.#tracker.streams);
  }

  #takeState(state: Message<'STATE'>): void {
    this.#cache.set(state.stream, state.state);
    if (!this.#hasStarted) {
      if (state.stream !== undefined) this.#tracker.resume(state.stream);
      return;
    }
    this.#tracker.commit(state);
    const { stream, state: durable } = state;
    this.#source?.stdin?.write(
      `${JSON.stringify({ type: 'ACK', ...(stream !== undefined && { stream }), state: durable })}\n`,
    );
  }

  #result(): Omit<SyncResult, 'seconds'> {
    const { signal } = this.#options;
    const streams = this.#tracker.streams;
    const failures = [...(this.#source?.failures ?? []), ...(this.#destination?.failures ?? [])];
    if (signal.aborted) {
      const cause = stopped(signal);
      return { exitCode: cause.exit, streams, failures: [cause, ...failures], cause };
    }
    const cause = findCause(failures);
    const failed = streams.filter(({ status }) => status !== 'COMPLETE').map(({ stream }) => stream);
    if (this.#isComplete && failed.length > 0) return this.#partial(failed, { streams, failures });
    if (this.#isComplete && !cause) return { exitCode: 0, streams, failures, cause };
    return { exitCode: cause?.exit ?? ERROR_CODES.run_broken.exit, streams, failures, cause };
  }

  /** Rule 18: what was to be copied and was not is named, whatever became of the rest. */
  #partial(failed: string[], { streams, failures }: Pick<SyncResult, 'streams' | 'failures'>) {
    const message = `${failed.length} of ${streams.length} streams failed: ${failed.join(', ')}.`;
    const cause = toFailure(new ConnectorError('streams_failed', message), 'engine');
    const unreadable = this.#plan.unreadable.map(({ stream, message: why, fix }) =>
      toFailure(new ConnectorError('permission_denied', why, { stream, help: fix }), 'engine'),
    );
    const reasons = failures.filter(({ code }) => code !== 'streams_failed');
    return { exitCode: cause.exit, streams, failures: [...unreadable, ...reasons], cause };
  }
}

function stopped(signal: AbortSignal): Failure {
  const { reason } = signal;
  const error =
    reason instanceof ConnectorError ? reason : new ConnectorError('interrupted', 'The sync was interrupted.');
  return toFailure(error, 'engine');
}
