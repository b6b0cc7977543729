import { statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Journal } from '../src/journal.ts';
import type { StreamProgress } from '../src/progress.ts';
import { RunRecording } from '../src/run-recording.ts';
import type { Pipeline } from '../src/pipeline.ts';

const STREAM: StreamProgress = {
  stream: 'public.orders',
  target: 'lake.orders',
  status: 'COMPLETE',
  rows: 5,
  bytes: 50,
  committedRows: 5,
  commits: 1,
  rejected: {},
  notes: [],
  resumed: false,
};
const FAILURE = {
  from: 'engine',
  code: 'run_broken',
  message: 'It broke.',
  help: 'Again.',
  retryable: true,
  exit: 3,
} as const;
const warn = (message: string) =>
  ({ type: 'LOG', level: 'warn', message, at: '2025-06-02T00:00:00.000Z', fields: { n: 1 } }) as const;

test('runs, streams and lines are read back as they were written, the newest run first', async () => {
  await using folder = await temporaryFolder('fjord-journal');
  const pipeline = { folder: folder.path, id: 'shop' };
  using journal = Journal.open(pipeline);
  const at = new Date('2025-06-02T00:00:00Z');
  const first = journal?.begin({ mode: 'once', pid: 7 }, at) ?? 0;
  journal?.put(first, [STREAM]);
  journal?.put(first, [{ ...STREAM, rows: 6 }]);
  journal?.log(first, warn('slow'), { from: 'source', at });
  journal?.log(first, { type: 'ERROR', code: 'c', message: 'no', help: 'h', retryable: false }, { from: 'source', at });
  journal?.end(first, { exitCode: 3, cause: FAILURE, at });
  const second = journal?.begin({ mode: 'follow', pid: 8 }, at) ?? 0;
  using read = Journal.read(pipeline);
  const startedAt = at.toISOString();
  expect(read?.runs(10)).toEqual([
    { run: second, startedAt, pid: 8, mode: 'follow' },
    {
      run: first,
      startedAt,
      endedAt: startedAt,
      pid: 7,
      mode: 'once',
      exitCode: 3,
      code: 'run_broken',
      message: 'It broke.',
    },
  ]);
  expect(read?.streams(first)).toEqual([{ run: first, ...STREAM, rows: 6 }]);
  expect(read?.lines({ level: 'info', limit: 10 }).map(({ level, message }) => `${level} ${message}`)).toEqual([
    'warn slow',
    'error no',
  ]);
  expect(read?.lines({ run: first, level: 'error', limit: 10 })).toMatchObject([{ fields: { code: 'c', help: 'h' } }]);
  expect(read?.lines({ run: second, level: 'debug', limit: 10 })).toEqual([]);
  expect(read?.lines({ level: 'debug', limit: 1 })).toMatchObject([{ message: 'no' }]);
});

test('only this user may read the journal', async () => {
  await using folder = await temporaryFolder('fjord-journal');
  using _ = Journal.open({ folder: folder.path, id: 'shop' });
  expect(statSync(path.join(folder.path, '.fjord/shop/journal.db')).mode & 0o077).toBe(0);
});

test('old runs are removed with what is known of them', async () => {
  await using folder = await temporaryFolder('fjord-journal');
  using journal = Journal.open({ folder: folder.path, id: 'shop' });
  const at = new Date(0);
  const old = journal?.begin({ mode: 'once', pid: 1 }, at) ?? 0;
  journal?.put(old, [STREAM]);
  using database = new DatabaseSync(path.join(folder.path, '.fjord/shop/journal.db'));
  database.exec('INSERT INTO runs SELECT 20000, started_at, ended_at, pid, mode, exit_code, code, message FROM runs');
  expect(journal?.begin({ mode: 'once', pid: 1 }, at)).toBe(20_001);
  expect(journal?.runs(10).map(({ run }) => run)).toEqual([20_001, 20_000]);
  expect(journal?.streams(old)).toEqual([]);
});

test('a folder that cannot be written stops no run', async () => {
  // Below a file there can be no folder.
  const pipeline = { folder: import.meta.filename, id: 'shop' } as Pipeline;
  expect(Journal.open(pipeline)).toBeUndefined();
  expect(Journal.read(pipeline)).toBeUndefined();
  using recording = new RunRecording(pipeline, 'once');
  recording.line(warn('slow'), 'source');
  recording.end({ streams: [STREAM], exitCode: 0, cause: undefined });
});

test('a run that goes on is put down every few seconds, and at its end', async () => {
  await using folder = await temporaryFolder('fjord-journal');
  const pipeline = { folder: folder.path, id: 'shop' } as Pipeline;
  let now = 1_000_000;
  using recording = new RunRecording(pipeline, 'follow', () => now);
  using read = Journal.read(pipeline);
  const rows = () => read?.streams(1).map((stream) => stream.rows);
  recording.progress(() => [{ ...STREAM, rows: 1 }]);
  now += 4_000;
  recording.progress(() => [{ ...STREAM, rows: 2 }]);
  expect(rows()).toEqual([1]);
  now += 1_000;
  recording.progress(() => [{ ...STREAM, rows: 3 }]);
  expect(rows()).toEqual([3]);
  recording.end({ streams: [{ ...STREAM, rows: 4 }], exitCode: 3, cause: FAILURE });
  expect(rows()).toEqual([4]);
  expect(read?.lines({ level: 'error', limit: 5 })).toMatchObject([{ from: 'engine', message: 'It broke.' }]);
});
