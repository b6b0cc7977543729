import type { RunContext, SourceMessage } from '@fjord/core';
import type { BackfillRun } from './backfill.ts';
import type { LoadGate } from './changes/load-gate.ts';
import { ChunkLane, type LaneParts, type Outgoing } from './chunk-lane.ts';
import type { ChunkSchedule } from './chunk-schedule.ts';
import type { Database } from './database.ts';
import { LoadWatch } from './load-watch.ts';
import type { Mailbox } from './mailbox.ts';
import type { ReplicationOptions } from './options.ts';
import { ProgressMeter } from './progress-meter.ts';

/** Larger batches gain nothing (4 MB ones took the same CPU) and cost memory in both processes. */
const MAX_BATCH_BYTES = 1024 * 1024;
/** Copies of a batch alive at once per reader: column buffers, the framed batch, one in each queue on the way, one being sent. */
const COPIES_PER_READER = 8;

/** As many readers as wanted, or as the server has connections for, but never none. */
export async function countReaders(
  database: Database,
  options: ReplicationOptions,
  context: RunContext,
): Promise<number> {
  const { parallel, minFreeConnections } = options;
  const load = await database.measureLoad?.();
  const readers = load ? Math.max(1, Math.min(parallel, load.freeConnections - minFreeConnections)) : parallel;
  if (readers < parallel) {
    context.log('warn', 'fewer readers than wanted, for the server has few connections free', { readers, parallel });
  }
  return readers;
}

/** What lets readers pause while the server is busier than it may be; undefined where nothing is limited. */
export function watchLoad(database: Database, options: ReplicationOptions, context: RunContext): LoadWatch | undefined {
  const { maxReplicaLagSeconds, maxActiveSessions, minFreeConnections } = options;
  const isLimited =
    Number.isFinite(maxReplicaLagSeconds) || Number.isFinite(maxActiveSessions) || minFreeConnections > 0;
  const measure = database.measureLoad?.bind(database);
  return measure && isLimited ? new LoadWatch(measure, options, context) : undefined;
}

export type Readers = {
  schedule: ChunkSchedule;
  watch: LoadWatch | undefined;
  readers: number;
  mailbox: Mailbox<Outgoing>;
  gate?: LoadGate;
};

/** Runs the readers side by side until their schedule has nothing more to read; their messages go into the mailbox in the order in which they were put. */
export async function runReaders(
  run: BackfillRun,
  { schedule, watch, readers, mailbox, gate }: Readers,
  context: RunContext,
): Promise<void> {
  const stop = new AbortController();
  const parts: LaneParts = {
    ...limitsOf(run, readers),
    start: { module: run.module, config: run.config },
    schedule,
    mailbox,
    watch,
    meter: new ProgressMeter(context),
    ...(gate && { gate }),
    signal: AbortSignal.any([context.signal, stop.signal]),
  };
  const lanes = Array.from({ length: readers }, async () => {
    await using lane = new ChunkLane(parts, context);
    await lane.readAll();
  });
  const lost = schedule.lost.then((error) => {
    throw error;
  });
  try {
    await Promise.race([Promise.all(lanes), lost]);
  } finally {
    stop.abort();
    await Promise.allSettled(lanes);
  }
}

/** The messages that `work` puts into the mailbox, until it has ended. Work is stopped when nobody takes them any more. */
export async function* sendAll(
  mailbox: Mailbox<Outgoing>,
  context: RunContext,
  work: (context: RunContext) => Promise<void>,
): AsyncGenerator<SourceMessage> {
  const stop = new AbortController();
  const working = work({ ...context, signal: AbortSignal.any([context.signal, stop.signal]) }).then(
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
    await working;
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
