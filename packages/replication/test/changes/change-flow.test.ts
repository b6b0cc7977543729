import { ConnectorError, type SelectedStream, type SourceMessage } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { appendRecord, BatchBuilder, changeBatchColumns, changeToRow } from '@fjord/core/arrow';
import { expect, test } from 'vitest';
import type { LogEvent } from '../../src/change-log.ts';
import { ChangeFlow } from '../../src/changes/change-flow.ts';
import { FollowedStream, type StreamStart } from '../../src/changes/followed-stream.ts';
import { HoldRoom } from '../../src/changes/held-changes.ts';
import { ChunkSizer } from '../../src/chunk-sizer.ts';
import { StreamBackfill } from '../../src/stream-backfill.ts';

const columns = [{ name: 'id', type: 'long', nullable: false }];
const selected = (stream: string): SelectedStream => ({
  stream,
  name: stream,
  columns,
  primaryKey: ['id'],
  writeMode: 'upsert',
  changes: {},
  target: { namespace: ['n'], name: stream },
});
const key = (place: number) => place.toString(16).padStart(32, '0');
const place = (at: number) => ({ position: at, orderKey: key(at) });

/** Changes with the given places in the log; the id of each row is its place. */
function changes(stream: string, ...places: number[]): LogEvent {
  const builder = new BatchBuilder(changeBatchColumns(columns, ['id']));
  for (const at of places) {
    const record = { type: 'RECORD', stream, data: { id: String(at) }, op: 'u', position: key(at) } as const;
    appendRecord(builder, changeToRow(record, columns));
  }
  return { event: 'changes', stream, ...builder.finish(), rejected: {} };
}
const commit = (at: number): LogEvent => ({ event: 'commit', ...place(at), transaction: `t${at}` });

function start(streams: (Partial<StreamStart> & { name: string; phase: StreamStart['phase'] })[], head = 0) {
  const queue: SourceMessage[] = [];
  const room = new HoldRoom({ folder: '/nowhere', maxMemory: 1e9, maxDisk: 1e9 });
  const followed = streams.map(
    ({ name, ...rest }, index) =>
      new FollowedStream(
        { selected: selected(name), place: place(0), beside: true, generation: 1, ...rest },
        room,
        index,
      ),
  );
  const context = { log: () => undefined, progress: () => undefined, report: () => undefined };
  const flow = new ChangeFlow(
    {
      streams: new Map(followed.map((stream) => [stream.selected.stream, stream])),
      put: (messages) => Promise.resolve(void queue.push(...messages)),
      room,
      run: 1,
      place: place(0),
      sharedState: (position) => ({ position }),
      head: () => Promise.resolve(key(head)),
      readByKey: () => Promise.reject(new Error('not asked for')),
      holdSnapshot: () => Promise.reject(new Error('not asked for')),
    },
    { ...context, signal: new AbortController().signal },
  );
  const load = (name: string, consistency: 'chunk' | 'snapshot' = 'chunk') => {
    const sizer = new ChunkSizer({ bytes: 1, seconds: 1, readers: 1, units: 1 });
    const backfill = new StreamBackfill(
      selected(name),
      { action: 'begin', generation: 1, replace: false },
      { number: 1, consistency, sizer, isFollowed: true },
    );
    flow.loads.loadBegun(backfill);
    backfill.begin({ identity: 'i', units: 2, isWhole: false, layout: 0 });
    return backfill;
  };
  const take = async (...events: LogEvent[]) => {
    for (const event of events) await flow.take(event);
  };
  /** What was sent since it was last asked, in short: `a 1,2` rows, `a @3` and `@3` states, and the types of other messages. */
  const sent = () => queue.splice(0).map(shortOf);
  return { flow, take, sent, load };
}

function shortOf(message: SourceMessage): string {
  const { stream = '' } = message;
  if (message.type === 'BATCH') {
    return `${stream} ${[...batchToRecords(message.body, columns)].map(({ id }) => String(id)).join(',')}`;
  }
  if (message.type !== 'STATE') return `${stream} ${message.type}`;
  const { position, log } = message.state as { position?: number; log?: number };
  return `${stream} @${position ?? log}`.trim();
}

test('streams that follow pass at once, each transaction covered by their state and then by the shared one', async () => {
  const { flow, take, sent } = start([
    { name: 'a', phase: 'following', handover: key(0) },
    { name: 'b', phase: 'following', handover: key(0) },
  ]);
  await flow.begin();
  expect(sent()).toEqual(['a HANDOVER', 'a STATUS', 'b HANDOVER', 'b STATUS', '@0']);
  await take(changes('a', 1, 2), changes('b', 3), changes('a', 4), commit(5), commit(6), changes('b', 7));
  expect(sent()).toEqual(['a 1,2', 'b 3', 'a 4', 'a @5', 'b @5', '@5', '@6', 'b 7']);
  await take({ event: 'heartbeat', ...place(5) }, commit(8), { event: 'heartbeat', ...place(9) });
  expect(sent()).toEqual(['b @8', '@8', '@9']);
});

test('what a table has already is skipped row by row, also after the log was read again', async () => {
  const { flow, take, sent } = start([{ name: 'a', phase: 'following', handover: key(0), place: place(3) }]);
  await take(changes('a', 1, 2), changes('a', 3, 4, 5), { event: 'truncate', stream: 'a', position: key(2) });
  expect(sent()).toEqual(['a 4,5']);
  expect(flow.place).toEqual(place(0));
  await take(changes('a', 2, 3, 4, 5, 6), { event: 'truncate', stream: 'a', position: key(7) }, commit(8));
  expect(sent()).toEqual(['a 6', 'a TRUNCATE', 'a @8', '@8']);
  await take(changes('a', 8));
  expect(sent()).toEqual(['a 8']);
});

test('changes wait while a chunk is in flight, the others flow on, and the shared place stays behind them', async () => {
  const { flow, take, sent, load } = start([
    { name: 'a', phase: 'waiting' },
    { name: 'b', phase: 'following', handover: key(0) },
  ]);
  await take(changes('a', 1), changes('b', 2), commit(3));
  expect(sent()).toEqual(['b 2', 'b @3', '@3']);
  const backfill = load('a');
  const first = backfill.takeChunk();
  flow.loads.chunkBegun(backfill);
  expect(flow.loads.transactions.list().notBefore).toEqual(['t3']);
  await take(changes('a', 4), changes('b', 5), commit(6), changes('a', 7), changes('b', 8), commit(9));
  expect(sent()).toEqual(['b 5', 'b @6', 'b 8', 'b @9']);
  if (!first) throw new Error('a chunk waits');
  expect(backfill.finishChunk(first, 1).map(shortOf)).toEqual(['a @3']);
  await flow.loads.chunkEnded(backfill);
  expect(sent()).toEqual(['a 4', 'a 7', 'a @9']);
  await take(changes('a', 10), commit(11));
  expect(sent()).toEqual(['a 10', 'a @11', '@11']);
});

test('a transaction under way when a chunk begins is given whole, and only when it is over', async () => {
  const { flow, take, sent, load } = start([{ name: 'a', phase: 'waiting' }]);
  await take(changes('a', 1), commit(2), changes('a', 3));
  const backfill = load('a');
  backfill.takeChunk();
  flow.loads.chunkBegun(backfill);
  expect(flow.loads.transactions.list().notBefore).toEqual(['t2']);
  await take(changes('a', 4));
  await flow.loads.chunkEnded(backfill);
  expect(sent()).toEqual(['@2']);
  await take(commit(5));
  expect(sent()).toEqual(['a 3', 'a 4', 'a @5', '@5']);
});

test('after the last chunk the handover waits until the log has passed the head of then', async () => {
  const { flow, take, sent, load } = start([{ name: 'a', phase: 'waiting' }], 20);
  const backfill = load('a');
  for (const at of [1, 2]) {
    const task = backfill.takeChunk();
    if (!task) throw new Error('two chunks wait');
    flow.loads.chunkBegun(backfill);
    backfill.finishChunk(task, at);
    await flow.loads.chunkEnded(backfill);
  }
  expect([sent(), flow.loads.areUnderWay]).toEqual([[], false]);
  await take(changes('a', 10), commit(11));
  expect(sent()).toEqual(['a 10', 'a @11', '@11']);
  await take({ event: 'heartbeat', ...place(21) });
  expect(sent()).toEqual(['a HANDOVER', 'a STATUS', 'a @21', '@21']);
});

test('a stream that is read at a point gets what came after the point once its last chunk is out', async () => {
  const { flow, take, sent, load } = start([
    { name: 'a', phase: 'loading', beside: false, handover: key(5), place: place(5) },
  ]);
  await take(changes('a', 3, 4), changes('a', 5, 6), commit(7), changes('a', 8), commit(9), changes('a', 10));
  expect(sent()).toEqual(['@0']);
  const backfill = load('a', 'snapshot');
  for (const at of [1, 2]) {
    const task = backfill.takeChunk();
    if (!task) throw new Error('two chunks wait');
    flow.loads.chunkBegun(backfill);
    expect(backfill.finishChunk(task, at)).toEqual([]);
    await flow.loads.chunkEnded(backfill);
  }
  expect(sent()).toEqual(['a @5', 'a HANDOVER', 'a STATUS', 'a 6', 'a 8', 'a @9', 'a 10']);
  await take(commit(11));
  expect(sent()).toEqual(['a @11', '@11']);
});

test('a stream that fails holds the shared place back, so that its changes are not lost', async () => {
  const { flow, take, sent, load } = start([
    { name: 'a', phase: 'waiting' },
    { name: 'b', phase: 'following', handover: key(0) },
  ]);
  await take(changes('b', 1), commit(2));
  const backfill = load('a');
  backfill.takeChunk();
  flow.loads.chunkBegun(backfill);
  backfill.fail(new ConnectorError('query_failed', 'no more'));
  await flow.loads.chunkEnded(backfill);
  sent();
  await take(changes('a', 3), changes('b', 4), commit(5));
  expect(sent()).toEqual(['b 4', 'b @5']);
});

test('new columns of the log are said once, before the first change that has them', async () => {
  const { flow, take, sent, load } = start([{ name: 'a', phase: 'waiting' }]);
  const wider = [...columns, { name: 'more', type: 'string', nullable: true }];
  const schema: LogEvent = { event: 'schema', stream: 'a', columns: wider, primaryKey: ['id'] };
  await take({ ...schema, columns }, schema, changes('a', 1), commit(2));
  expect(sent()).toEqual(['@2']);
  const backfill = load('a');
  backfill.takeChunk();
  flow.loads.chunkBegun(backfill);
  await take(schema, changes('a', 3), commit(4));
  await flow.loads.chunkEnded(backfill);
  await take(changes('a', 5), commit(6));
  expect(sent()).toEqual(['a SCHEMA', 'a 3', 'a @4', 'a 5', 'a @6', '@6']);
});
