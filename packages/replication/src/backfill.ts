import { constants, setPriority } from 'node:os';
import {
  ConnectorError,
  type ReadRequest,
  type RunContext,
  type SelectedStream,
  type SourceMessage,
} from '@fjord/core';
import { ChunkLane, type LaneParts, type Outgoing } from './chunk-lane.ts';
import { ChunkSchedule } from './chunk-schedule.ts';
import { openPoint } from './consistent-point.ts';
import type { Database } from './database.ts';
import { LoadWatch } from './load-watch.ts';
import { Mailbox } from './mailbox.ts';
import type { Consistency, ReplicationOptions } from './options.ts';
import { ProgressMeter } from './progress-meter.ts';
import { shapeFingerprint } from './shape/source-view.ts';
import { type Opening, openStream, runNumber, type SharedState, type StreamState } from './stream-state.ts';

/** Larger batches gain nothing (4 MB ones took the same CPU) and cost memory in both processes. */
const MAX_BATCH_BYTES = 1024 * 1024;
/** Copies of a batch alive at once per reader: column buffers, the framed batch, one in each queue on the way, one being sent. */
const COPIES_PER_READER = 8;

export type BackfillRun = ReadRequest<unknown, unknown> & {
  options: ReplicationOptions;
  module: string;
  open(config: unknown, context: RunContext): Promise<Database>;
};

/** Reads the selected streams, several chunks at a time. One stream's fault leaves the others running; a lost snapshot or signal ends the run. */
export async function* runBackfill(run: BackfillRun, context: RunContext): AsyncGenerator<SourceMessage> {
  // States are this package's own, written by `StreamBackfill` and checked by the destination to be the latest.
  const shared = (run.sharedState ?? undefined) as SharedState | undefined;
  const number = runNumber(shared);
  const { options } = run;
  const first = openStreams(run, number, options.consistency);
  for (const { selected, opening } of first) if (opening.action === 'refuse') yield refuse(selected, context);
  if (first.every(({ opening }) => hasNothingToRead(opening))) {
    if (shared && !shared.ended) yield { type: 'STATE', state: { run: number, ended: true } satisfies SharedState };
    return;
  }
  yield { type: 'STATE', state: { run: number, ended: false } satisfies SharedState };
  // Where the server shares the machine, it goes first; threads that are started later inherit it.
  if (options.profile === 'gentle') setPriority(constants.priority.PRIORITY_LOW);
  await using database = await run.open(run.config, context);
  const point = await openPoint(database, options.consistency, context);
  const openings = openStreams(run, number, point.consistency);
  const readers = await countReaders(database, options, context);
  await using schedule = new ChunkSchedule({ database, openings, run: number, options, readers, point }, context);
  using watch = watchLoad(database, options, context);
  yield* readChunks(run, { schedule, watch, readers }, context);
  yield { type: 'STATE', state: { run: number, ended: true } satisfies SharedState };
}

function openStreams(run: BackfillRun, number: number, consistency: Consistency) {
  return run.streams.map((selected) => {
    const state = (run.states.get(selected.stream) ?? undefined) as StreamState | undefined;
    const { writeMode, incremental, whenChanged } = selected;
    const shape = shapeFingerprint(selected);
    const opening = openStream(state, { number, writeMode, consistency, incremental, shape, whenChanged });
    return { selected, opening };
  });
}

const hasNothingToRead = ({ action }: Opening) => action === 'skip' || action === 'refuse';

/** Gives up a stream whose rows were copied with another filter or other transforms. */
function refuse({ stream }: SelectedStream, context: RunContext): SourceMessage {
  const message = `The rows of ${stream} were copied with another filter or other transforms than the pipeline has now.`;
  context.report(new ConnectorError('shape_changed', message, { stream }));
  return { type: 'STATUS', stream, status: 'INCOMPLETE', reason: message };
}

/** As many readers as wanted, or as the server has connections for, but never none. */
async function countReaders(database: Database, options: ReplicationOptions, context: RunContext): Promise<number> {
  const { parallel, minFreeConnections } = options;
  const load = await database.measureLoad?.();
  const readers = load ? Math.max(1, Math.min(parallel, load.freeConnections - minFreeConnections)) : parallel;
  if (readers < parallel) {
    context.log('warn', 'fewer readers than wanted, for the server has few connections free', { readers, parallel });
  }
  return readers;
}

function watchLoad(database: Database, options: ReplicationOptions, context: RunContext): LoadWatch | undefined {
  const { maxReplicaLagSeconds, maxActiveSessions, minFreeConnections } = options;
  const isLimited =
    Number.isFinite(maxReplicaLagSeconds) || Number.isFinite(maxActiveSessions) || minFreeConnections > 0;
  const measure = database.measureLoad?.bind(database);
  return measure && isLimited ? new LoadWatch(measure, options, context) : undefined;
}

type Readers = { schedule: ChunkSchedule; watch: LoadWatch | undefined; readers: number };

/** Runs the readers side by side and yields their messages in the order in which they were put. */
async function* readChunks(
  run: BackfillRun,
  { schedule, watch, readers }: Readers,
  context: RunContext,
): AsyncGenerator<SourceMessage> {
  const mailbox = new Mailbox<Outgoing>(readers);
  const stop = new AbortController();
  const parts: LaneParts = {
    ...limitsOf(run, readers),
    start: { module: run.module, config: run.config },
    schedule,
    mailbox,
    watch,
    meter: new ProgressMeter(context),
    signal: AbortSignal.any([context.signal, stop.signal]),
  };
  const lanes = Array.from({ length: readers }, async () => {
    await using lane = new ChunkLane(parts, context);
    await lane.readAll();
  });
  void schedule.lost.then((error) => mailbox.close(error));
  void Promise.all(lanes).then(
    () => mailbox.close(),
    (error: unknown) => mailbox.close(error),
  );
  try {
    for await (const { messages, onSent } of mailbox) {
      yield* messages;
      onSent?.();
    }
  } finally {
    stop.abort();
    await Promise.allSettled(lanes);
  }
}

function limitsOf({ memoryBytes, options }: BackfillRun, readers: number) {
  const { chunkMB, maxStatementSeconds, workShare } = options;
  return {
    budget: { bytes: chunkMB * 1024 * 1024, seconds: maxStatementSeconds, workShare },
    maxStatementSeconds,
    batchBytes: Math.min(MAX_BATCH_BYTES, Math.floor(memoryBytes / (readers * COPIES_PER_READER))),
  };
}
