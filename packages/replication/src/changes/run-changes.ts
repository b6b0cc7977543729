import { ConnectorError, type RunContext, type SelectedStream, type SourceMessage } from '@fjord/core';
import { type BackfillRun, hasNothingToRead, openStreams, refuse } from '../backfill.ts';
import { retrying } from '../backoff.ts';
import type { ChangeLog, LogPosition } from '../change-log.ts';
import type { Outgoing } from '../chunk-lane.ts';
import { ChunkSchedule } from '../chunk-schedule.ts';
import { type ConsistentPoint, openPoint } from '../consistent-point.ts';
import type { Database } from '../database.ts';
import { Mailbox } from '../mailbox.ts';
import { countReaders, runReaders, sendAll, watchLoad } from '../readers.ts';
import { sourceView } from '../shape/source-view.ts';
import { type Opening, runNumber, type SharedState } from '../stream-state.ts';
import { ChangeFlow } from './change-flow.ts';
import { ChangeProgress } from './change-progress.ts';
import { readerByKey } from './complete-rows.ts';
import { followLog, type FollowParts } from './follow-log.ts';
import { FollowedStream } from './followed-stream.ts';
import { HoldRoom } from './held-changes.ts';
import { openFollowed, type OpenedStreams } from './open-streams.ts';
import { repairRows } from './repair-rows.ts';
import { SpillFolder } from './spill-folder.ts';

/** Changes that wait may take this share of the memory before they go to disk. */
const HELD_SHARE = 1 / 4;
const MAX_BATCH_BYTES = 1024 * 1024;
const GIGABYTE = 1024 ** 3;

/**
 * Copies the streams that follow the change log, and follows it: chunks are read beside the log, streams whose copy is complete go on while
 * others load. Streams that do not follow are copied in the same run, after these.
 */
export async function* runChanges(run: BackfillRun, context: RunContext): AsyncGenerator<SourceMessage> {
  await using database = await run.open(run.config, context);
  const changeLog = database.openChangeLog?.(run.pipeline);
  if (!changeLog) throw new ConnectorError('unsupported', 'This source has no change log to follow.');
  await using _ = changeLog;
  await using spill = await SpillFolder.open();
  const mailbox = new Mailbox<Outgoing>(run.options.parallel);
  const follower = await Follower.open({ run, database, changeLog, spillFolder: spill.path, mailbox }, context);
  try {
    yield* follower.messages;
    yield* sendAll(mailbox, context, (stoppable) => follower.run(stoppable));
    yield* follower.lastMessages();
  } finally {
    await follower.forget();
  }
}

type FollowerParts = {
  run: BackfillRun;
  database: Database;
  changeLog: ChangeLog;
  spillFolder: string;
  mailbox: Mailbox<Outgoing>;
};

/** One run: what was opened, the flow of its changes, and the readers of its chunks. */
class Follower {
  readonly #parts: FollowerParts;
  readonly #opened: OpenedStreams;
  readonly #number: number;
  readonly #streams: Map<string, FollowedStream>;
  readonly #others: SelectedStream[];
  readonly #flow: ChangeFlow;
  readonly #follow: Omit<FollowParts, 'onEvent'>;
  readonly #retrySeconds: number;
  #othersEnded: boolean;
  #lookups: Promise<Database> | undefined;

  static async open(parts: FollowerParts, context: RunContext): Promise<Follower> {
    const { run, changeLog } = parts;
    const shared = (run.sharedState ?? undefined) as SharedState | undefined;
    const number = runNumber(shared);
    const opened = await retrying(() => openFollowed({ run, shared, number, changeLog }, context), {
      retrySeconds: retrySecondsOf(run),
      signal: context.signal,
      onFault: ({ code, message }, attempt) =>
        context.log('warn', 'the change log cannot be opened yet', { code, error: message, attempt }),
    });
    const follower = new Follower(parts, { opened, number }, context);
    // What the marker says is durable: the log before it may go. Not more, though streams that begin anew need nothing before their own
    // place: what another run of the pipeline may still commit must lead on.
    if (shared?.position !== undefined) {
      const isBehind = changeLog.orderKey(shared.position) < opened.from.orderKey;
      await changeLog.acknowledge(isBehind ? shared.position : opened.from.position);
    }
    return follower;
  }

  private constructor(
    parts: FollowerParts,
    { opened, number }: { opened: OpenedStreams; number: number },
    context: RunContext,
  ) {
    const { run, changeLog, mailbox, spillFolder } = parts;
    this.#parts = parts;
    this.#opened = opened;
    this.#number = number;
    this.#retrySeconds = retrySecondsOf(run);
    this.#others = run.streams.filter(({ changes }) => !changes);
    this.#othersEnded = this.#others.length === 0;
    const maxMemory = run.memoryBytes * HELD_SHARE;
    const room = new HoldRoom({ folder: spillFolder, maxMemory, maxDisk: run.options.maxSpillGB * GIGABYTE });
    this.#streams = new Map(
      opened.starts.map((start, index) => [start.selected.stream, new FollowedStream(start, room, index)]),
    );
    for (const stream of this.#streams.values()) if (stream.phase === 'failed') stream.pinnedAt = opened.from;
    this.#flow = new ChangeFlow(
      {
        streams: this.#streams,
        put: (messages) => mailbox.put({ messages }),
        room,
        run: number,
        place: opened.from,
        sharedState: (position) => this.#sharedState(position),
        head: () => this.#retry('asking for the head', context, async () => changeLog.orderKey(await changeLog.head())),
        readByKey: async (selected, keys) => {
          // Of its own: the other serves the plans of chunks at the same time.
          this.#lookups ??= run.open(run.config, context);
          const lookUp = async () => readerByKey(await this.#lookups!, context)(selected, keys);
          return this.#retry('reading rows by key', context, lookUp);
        },
        holdSnapshot: async () => {
          const snapshot = await changeLog.holdSnapshot();
          return { snapshot, orderKey: changeLog.orderKey(snapshot.position) };
        },
      },
      context,
    );
    this.#follow = {
      changeLog,
      flow: this.#flow,
      streams: opened.starts.map(({ selected }) => sourceView(selected)),
      batchBytes: Math.min(MAX_BATCH_BYTES, Math.floor(run.memoryBytes / 32)),
      spillFolder,
      retrySeconds: this.#retrySeconds,
    };
  }

  /** What is said before all else. */
  get messages(): SourceMessage[] {
    return this.#opened.messages;
  }

  /** Follows the log while chunks are read, and then up to its head, or on and on. */
  async run(context: RunContext): Promise<void> {
    const { run, changeLog } = this.#parts;
    void this.#acknowledge(context);
    const progress = new ChangeProgress(changeLog, [...this.#streams.values()], context);
    const parts: FollowParts = { ...this.#follow, onEvent: () => progress.tick() };
    const loaded = new AbortController();
    const points = await this.#openPoints(context);
    await this.#flow.begin();
    const loading = this.#load(points, context).finally(() => loaded.abort());
    if (run.follow) await Promise.all([loading, followLog(parts, {}, context)]);
    else {
      const isLoading = this.#flow.loads.areUnderWay || !this.#othersEnded;
      await Promise.all([loading, isLoading ? followLog(parts, { stop: loaded.signal }, context) : undefined]);
      const until = run.until ?? (await this.#retry('asking for the head', context, () => changeLog.head()));
      await followLog(parts, { until }, context);
      await this.#repair(context);
    }
    progress.show();
  }

  /** At the end of a run that has one: what follows is complete up to here. */
  *lastMessages(): Generator<SourceMessage> {
    for (const { selected } of this.#flow.streamsIn('following', 'gone')) {
      yield { type: 'STATUS', stream: selected.stream, status: 'COMPLETE' };
    }
  }

  async forget(): Promise<void> {
    await this.#lookups?.then((database) => database[Symbol.asyncDispose]()).catch(() => undefined);
    for (const { held } of this.#streams.values()) await held.forget();
  }

  /** Sends rows again that are to be repaired. */
  async #repair(context: RunContext): Promise<void> {
    const { run, database, changeLog } = this.#parts;
    const { repair = {} } = run;
    if (Object.keys(repair).length === 0) return;
    await using snapshot = await this.#retry('holding a consistent point', context, () => changeLog.holdSnapshot());
    const upTo = changeLog.orderKey(snapshot.position);
    const read = readerByKey(database, { signal: context.signal, snapshot: snapshot.token });
    await repairRows(repair, { streams: this.#streams, flow: this.#flow, read, upTo });
  }

  #sharedState(position: LogPosition): SharedState {
    return { run: this.#number, ended: this.#othersEnded, position, members: [...this.#streams.keys()] };
  }

  /** The point of the streams that are read at one; each of them is past it already. */
  async #openPoints(context: RunContext): Promise<ConsistentPoint | undefined> {
    const { changeLog } = this.#parts;
    const { point } = this.#opened.loads;
    if (point.length === 0) return undefined;
    const snapshot = await this.#retry('holding a consistent point', context, () => changeLog.holdSnapshot());
    const place = { position: snapshot.position, orderKey: changeLog.orderKey(snapshot.position) };
    for (const { selected } of point) this.#streams.get(selected.stream)?.moveTo(place);
    return { consistency: 'snapshot', snapshot };
  }

  async #load(point: ConsistentPoint | undefined, context: RunContext): Promise<void> {
    const { beside, point: atPoint } = this.#opened.loads;
    if (point) await this.#read(atPoint, { point, isFollowed: true }, context);
    const besideLog: ConsistentPoint = { consistency: 'chunk', snapshot: undefined };
    if (beside.length > 0) await this.#read(beside, { point: besideLog, isFollowed: true }, context);
    if (this.#othersEnded) return;
    await this.#readOthers(context);
    this.#othersEnded = true;
    await this.#flow.sayShared();
  }

  /** Copies the streams that do not follow, as a run without a change log does. */
  async #readOthers(context: RunContext): Promise<void> {
    const { run, database, mailbox } = this.#parts;
    const open = (consistency: ConsistentPoint['consistency']) =>
      openStreams({ streams: this.#others, states: run.states }, this.#number, consistency);
    const first = open(run.options.consistency);
    for (const { selected, opening } of first) {
      if (opening.action === 'refuse') await mailbox.put({ messages: [refuse(selected, context)] });
    }
    if (first.every(({ opening }) => hasNothingToRead(opening))) return;
    const point = await openPoint(database, run.options.consistency, context);
    await this.#read(open(point.consistency), { point, isFollowed: false }, context);
  }

  async #read(
    openings: { selected: SelectedStream; opening: Opening }[],
    { point, isFollowed }: { point: ConsistentPoint; isFollowed: boolean },
    context: RunContext,
  ): Promise<void> {
    const { run, database, mailbox } = this.#parts;
    const { options } = run;
    const gate = isFollowed ? { gate: this.#flow.loads } : {};
    const readers = await countReaders(database, options, context);
    const parts = { database, openings, run: this.#number, options, readers, point, ...gate };
    await using schedule = new ChunkSchedule(parts, context);
    using watch = watchLoad(database, options, context);
    await runReaders(run, { schedule, watch, readers, mailbox, ...gate }, context);
  }

  /** Lets the log go up to what is durable, as the destination says so. */
  async #acknowledge(context: RunContext): Promise<void> {
    for await (const { stream, state } of this.#parts.run.acknowledgements) {
      const position = stream === undefined ? (state as SharedState | null)?.position : undefined;
      if (position === undefined) continue;
      await this.#parts.changeLog.acknowledge(position).catch((error: unknown) => {
        context.log('warn', 'the log could not be told what is durable', { error: String(error) });
      });
    }
  }

  #retry<Result>(what: string, context: RunContext, work: () => Promise<Result>): Promise<Result> {
    return retrying(work, {
      retrySeconds: this.#retrySeconds,
      signal: context.signal,
      onFault: ({ code, message }, attempt) => context.log('warn', `${what} failed`, { code, error: message, attempt }),
    });
  }
}

/** A run that goes on and on waits for its database as long as it takes. */
function retrySecondsOf({ follow, options }: BackfillRun): number {
  return options.retrySeconds ?? (follow ? Number.POSITIVE_INFINITY : DEFAULT_RETRY_SECONDS);
}

const DEFAULT_RETRY_SECONDS = 60;
