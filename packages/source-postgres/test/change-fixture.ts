import type { Column, SelectedStream } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import type { ChangeLog, FollowRequest, LogEvent, LogPosition } from '@fjord/replication';
import { temporaryFolder } from '@fjord/test-harness';

/** A change as a test sees it; `unset` names columns. */
export type Change = { stream: string; op: string; row: Record<string, unknown>; unset: string[]; position: string };

export type Followed = {
  events: LogEvent[];
  changes: Change[];
  schemas: Extract<LogEvent, { event: 'schema' }>[];
  /** The last place that was said, to go on from. */
  position: LogPosition;
};

const CHANGE_COLUMNS: Column[] = [
  { name: '_op', type: 'string', nullable: false },
  { name: '_position', type: 'fixed(16)', nullable: false },
  { name: '_unset', type: 'binary', nullable: true },
  { name: '_committed_at', type: 'timestamptz', nullable: true },
];

/** Follows the log from a place up to its newest one. */
export async function followToHead(
  log: ChangeLog,
  request: Pick<FollowRequest, 'from' | 'streams'> & Partial<FollowRequest>,
): Promise<Followed> {
  await using folder = await temporaryFolder('fjord-spill');
  const until = request.until ?? (await log.head());
  const { signal } = new AbortController();
  const events = await Array.fromAsync(
    log.follow({ batchBytes: 1 << 20, spillFolder: folder.path, signal, ...request, until }),
  );
  return explain(events, request.from);
}

/** What events say. */
export function explain(events: LogEvent[], from: LogPosition): Followed {
  const followed: Followed = { events, changes: [], schemas: [], position: from };
  const columns = new Map<string, Column[]>();
  for (const event of events) {
    if (event.event === 'commit' || event.event === 'heartbeat') followed.position = event.position;
    if (event.event === 'schema') {
      followed.schemas.push(event);
      columns.set(event.stream, event.columns);
    }
    if (event.event === 'changes') followed.changes.push(...readChanges(event, columns.get(event.stream) ?? []));
  }
  return followed;
}

function readChanges(event: Extract<LogEvent, { event: 'changes' }>, columns: Column[]): Change[] {
  return [...batchToRecords(event.body, [...columns, ...CHANGE_COLUMNS])].map((record) => {
    const bits = Buffer.from((record['_unset'] as string | null) ?? '', 'base64');
    const unset = columns.flatMap(({ name }, index) =>
      ((bits[index >> 3] ?? 0) & (1 << (index & 7))) === 0 ? [] : [name],
    );
    const row = Object.fromEntries(columns.map(({ name }) => [name, record[name]]));
    const position = Buffer.from(record['_position'] as string, 'base64').toString('hex');
    return { stream: event.stream, op: record['_op'] as string, row, unset, position };
  });
}

/** `op` and values of changes, in short. */
export function brief(changes: Change[]): unknown[] {
  return changes.map(({ op, row }) => [op, ...Object.values(row)]);
}

/** Streams that follow the log. */
export function following(streams: SelectedStream[]): SelectedStream[] {
  return streams.map((stream) => ({ ...stream, writeMode: 'upsert', changes: {} }));
}

/** Follows the log in the background: what has come so far, and what ends it. */
export class Following implements AsyncDisposable {
  readonly events: LogEvent[] = [];
  readonly spillFolder: string;
  readonly #from: LogPosition;
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;
  readonly #folder: AsyncDisposable;

  private constructor(log: ChangeLog, request: Omit<FollowRequest, 'signal'>, folder: AsyncDisposable) {
    this.spillFolder = request.spillFolder;
    this.#from = request.from;
    this.#folder = folder;
    this.#ended = this.#run(log, request).catch((error: unknown) => error);
  }

  static async start(
    log: ChangeLog,
    request: Pick<FollowRequest, 'from' | 'streams'> & Partial<FollowRequest>,
  ): Promise<Following> {
    const folder = await temporaryFolder('fjord-spill');
    return new Following(log, { batchBytes: 1 << 20, spillFolder: folder.path, ...request }, folder);
  }

  get changes(): Change[] {
    return explain(this.events, this.#from).changes;
  }

  get position(): LogPosition {
    return explain(this.events, this.#from).position;
  }

  /** The error that following has ended with; waits for it. */
  get error(): Promise<unknown> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.#folder[Symbol.asyncDispose]();
  }

  async #run(log: ChangeLog, request: Omit<FollowRequest, 'signal'>): Promise<void> {
    for await (const event of log.follow({ ...request, signal: this.#stop.signal })) this.events.push(event);
  }
}
