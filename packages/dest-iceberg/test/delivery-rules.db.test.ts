import { planFiles } from '@fjord/iceberg';
import { temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake } from './write-process.ts';

async function lake() {
  const folder = await temporaryFolder('fjord-write');
  return Object.assign(new Lake(folder.path), { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() });
}

test('rows, states and the end of the run become one readable table', async () => {
  await using open = await lake();
  await using write = open.write();
  await write.started();
  write.begin(null).rows([1, 3]).state('a').rows([4, 5]).complete().state('b').endRun();
  expect(await write.finish()).toBe(0);
  expect(await open.ids()).toEqual([1, 2, 3, 4, 5]);
  await using again = open.write({}, '--print-state');
  expect(await again.line(() => true)).toEqual({ type: 'STATE', stream: 's', state: 'b' });
  expect(await again.exit).toBe(0);
});

test('rule 1: a run that breaks keeps what a state covers and drops the rows after it', async () => {
  await using open = await lake();
  await using write = open.write();
  write.begin(null).rows([1, 3]).state('a');
  await write.durable('a');
  write.rows([4, 9]);
  expect(await write.finish()).toBe(3);
  expect(write.errors.at(-1)).toMatchObject({ type: 'ERROR', code: 'run_broken' });
  expect(await open.ids()).toEqual([1, 2, 3]);
});

test('states after every row share one file, which a commit ends, and what no state covers stays out of it', async () => {
  await using open = await lake();
  await using write = open.write({ commitIntervalSeconds: 2 });
  write.begin(null);
  for (let id = 1; id <= 40; id++) write.rows([id, id]).state(id);
  write.rows([1001, 1003]);
  await write.durable(40);
  expect(await open.ids()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  for (let id = 41; id <= 60; id++) write.state(id).rows([id, id]);
  expect(await write.finish()).toBe(3);
  const kept = [...Array.from({ length: 59 }, (_, index) => index + 1), 1001, 1002, 1003];
  expect(await open.ids()).toEqual(kept);
  const table = await open.table();
  const files = table ? await Array.fromAsync(planFiles(table)) : [];
  expect(files.length).toBeLessThan(5);
});

test('rows outside of chunks that wait long for their state are kept on disk, and are committed with it alone', async () => {
  await using open = await lake();
  await using write = open.write();
  write.begin(null).rows([1, 20_000]).state('a').rows([20_001, 20_010]).state('b').rows([20_011, 40_000]);
  await write.durable('b');
  expect(await write.finish()).toBe(3);
  expect(await open.ids()).toEqual(Array.from({ length: 20_010 }, (_, index) => index + 1));
});

test('rule 1: a source that dies during an overwrite leaves readers the old table, and the next run goes on where it stopped', async () => {
  await using open = await lake();
  await using first = open.write({ writeMode: 'overwrite' });
  first.begin(null).send(backfill(1)).rows([1, 3], 'a').end('a').complete().state('one').endRun();
  expect(await first.finish()).toBe(0);
  await using second = open.write({ writeMode: 'overwrite' });
  second.begin('one').send(backfill(2)).rows([11, 12], 'a').end('a').state('half');
  await second.durable('half');
  second.rows([13, 14], 'b');
  expect(await second.finish()).toBe(3);
  expect(await open.ids()).toEqual([1, 2, 3]);
  await using third = open.write({ writeMode: 'overwrite' });
  third.begin('half').send(backfill(2)).rows([15, 16], 'b', 2).end('b', 'done', 2).complete().state('two').endRun();
  expect(await third.finish()).toBe(0);
  expect(await open.ids()).toEqual([11, 12, 15, 16]);
  expect(Object.keys((await open.table())?.metadata.refs ?? {})).toEqual(['main']);
});

test('a backfill that starts over drops what the unfinished one staged', async () => {
  await using open = await lake();
  await using write = open.write({ writeMode: 'overwrite' });
  write.begin(null).send(backfill(1)).rows([1, 3], 'a').end('a').state('half');
  await write.durable('half');
  write.rows([4, 5], 'b').send(backfill(2)).rows([21, 22], 'a').end('a').complete().state('two').endRun();
  expect(await write.finish()).toBe(0);
  expect(await open.ids()).toEqual([21, 22]);
});

test('a re-backfill replaces the rows of an appended table in one commit', async () => {
  await using open = await lake();
  await using write = open.write();
  write
    .begin(null)
    .send({ ...backfill(1), replace: false })
    .rows([1, 3], 'a')
    .end('a')
    .state('half');
  await write.durable('half');
  expect(await open.ids()).toEqual([1, 2, 3]);
  write.send(backfill(2)).rows([1, 1], 'x').end('x').state('new half');
  await write.durable('new half');
  expect(await open.ids()).toEqual([1, 2, 3]);
  write.rows([2, 2], 'y').end('y').complete().state('two').endRun();
  expect(await write.finish()).toBe(0);
  expect(await open.ids()).toEqual([1, 2]);
});

test('rule 2: of two interleaved chunks only the done one is committed, and a discarded attempt leaves nothing', async () => {
  await using open = await lake();
  await using write = open.write();
  write.begin(null).rows([1, 2], 'a').rows([11, 12], 'b').rows([3, 3], 'a').end('a').state('a');
  await write.durable('a');
  expect(await open.ids()).toEqual([1, 2, 3]);
  write
    .rows([13, 13], 'b')
    .end('b', 'discard')
    .rows([11, 14], 'b', 2)
    .end('b', 'done', 2)
    .complete()
    .state('b')
    .endRun();
  expect(await write.finish()).toBe(0);
  expect(await open.ids()).toEqual([1, 2, 3, 11, 12, 13, 14]);
});

test('rule 10: a run that slept through another one is fenced and changes nothing', async () => {
  await using open = await lake();
  await using old = open.write();
  old.begin(null).rows([1, 2], 'a').end('a').state('a');
  await old.durable('a');
  old.child.kill('SIGSTOP');
  await using young = open.write();
  young.begin('a').rows([3, 4], 'b').end('b').complete().state('b').endRun();
  expect(await young.finish()).toBe(0);
  old.child.kill('SIGCONT');
  old.rows([3, 4], 'b').end('b').complete().state('b').endRun();
  expect(await old.finish()).toBe(3);
  expect(old.errors.at(-1)).toMatchObject({ type: 'ERROR', code: 'fenced' });
  expect(await open.ids()).toEqual([1, 2, 3, 4]);
});

test('rule 11: a table that holds rows of others is written to only if adopted, and a swap spares their rows', async () => {
  await using open = await lake();
  await using other = open.write({ pipeline: 'other' });
  other.begin(null).rows([1, 2]).complete().state('x').endRun();
  expect(await other.finish()).toBe(0);
  await using refused = open.write();
  refused.begin(null).rows([3, 3]);
  expect(await refused.exit).toBe(2);
  expect(refused.errors.at(-1)).toMatchObject({ code: 'table_not_adopted', stream: 's' });
  expect(await open.ids()).toEqual([1, 2]);
  await using adopted = open.write({ adopt: true });
  adopted.begin(null).rows([3, 3], 'a').end('a').state('a');
  await adopted.durable('a');
  adopted.send(backfill(2)).rows([4, 4], 'b').end('b').complete().state('b').endRun();
  expect(await adopted.finish()).toBe(0);
  expect(await open.ids()).toEqual([1, 2, 4]);
});

test('rule 12: a source that resumes from an outdated state is refused before any row', async () => {
  await using open = await lake();
  await using first = open.write();
  first.begin(null).rows([1, 2]).state('a').rows([3, 3]).complete().state('b').endRun();
  expect(await first.finish()).toBe(0);
  await using stale = open.write();
  stale.begin('a').rows([3, 3]);
  expect(await stale.exit).toBe(2);
  expect(stale.errors.at(-1)).toMatchObject({ code: 'state_conflict', stream: 's' });
  expect(stale.errors.at(-1)?.['help']).toContain('write --print-state');
  expect(await open.ids()).toEqual([1, 2, 3]);
});

test('a complete stream without rows still has a table with all its columns', async () => {
  await using open = await lake();
  await using write = open.write();
  write.begin(null).complete().state('a').endRun();
  expect(await write.finish()).toBe(0);
  const table = await open.table();
  expect(table?.metadata.schemas.at(-1)?.fields.map(({ name }) => name)).toEqual(['id', 'name']);
  expect(await open.ids()).toEqual([]);
});

test('an overwrite run that skips a complete stream leaves its rows alone', async () => {
  await using open = await lake();
  await using first = open.write({ writeMode: 'overwrite' });
  first.begin(null).send(backfill(1)).rows([1, 3], 'a').end('a').complete().state('one').endRun();
  expect(await first.finish()).toBe(0);
  await using second = open.write({ writeMode: 'overwrite' });
  // A skipped stream is not STARTED.
  second.send({ type: 'STATE', stream: 's', state: 'one', resumed: true }).complete().endRun();
  expect(await second.finish()).toBe(0);
  expect(await open.ids()).toEqual([1, 2, 3]);
});

test('an overwrite run that starts a stream and sends neither BACKFILL nor row leaves an empty table', async () => {
  await using open = await lake();
  await using first = open.write({ writeMode: 'overwrite' });
  first.begin(null).rows([1, 3]).complete().endRun();
  expect(await first.finish()).toBe(0);
  expect(await open.ids()).toEqual([1, 2, 3]);
  await using second = open.write({ writeMode: 'overwrite' });
  second.begin(null).complete().endRun();
  expect(await second.finish()).toBe(0);
  expect(await open.ids()).toEqual([]);
});

test('a column of another type fails its stream alone, with the columns named', async () => {
  await using open = await lake();
  await using first = open.write();
  first.begin(null).rows([1, 1]).complete().state('a').endRun();
  expect(await first.finish()).toBe(0);
  const columns = [
    { name: 'id', type: 'long', nullable: false },
    { name: 'name', type: 'date', nullable: true },
  ];
  await using second = open.write({ columns });
  second.begin('a').complete().state('b').endRun();
  expect(await second.finish()).toBe(5);
  expect(second.errors).toContainEqual(
    expect.objectContaining({
      code: 'schema_incompatible',
      message: 'Column "name" is string in the table and date in the rows.',
    }),
  );
});

const backfill = (generation: number) => ({ type: 'BACKFILL', stream: 's', generation, replace: true });
