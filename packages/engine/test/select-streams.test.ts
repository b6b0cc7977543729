import type { Stream } from '@fjord/core';
import { expect, test } from 'vitest';
import { parsePipeline } from '../src/pipeline.ts';
import { findUnreadable, selectStreams } from '../src/select-streams.ts';

const stream = (name: string, more: Partial<Stream> = {}): Stream => ({
  stream: `s.${name}`,
  namespace: 's',
  name,
  columns: ['id', 'v', 'w'].map((column) => ({ name: column, type: 'int', nullable: column !== 'id' })),
  primaryKey: ['id'],
  cursorCandidates: [],
  syncModes: ['full'],
  ...more,
});
const hidden = stream('hidden', { unreadable: { message: 'No right.', fix: 'GRANT …' } });

const pipelineOf = (streams: object[]) =>
  parsePipeline(
    JSON.stringify({
      id: 'p',
      source: { connector: 'x', config: {} },
      destination: { connector: 'y', config: {} },
      streams,
    }),
    'pipeline.yaml',
  );

test('the first entry that matches a stream counts, and exclude leaves it to a later one', () => {
  const pipeline = pipelineOf([
    { match: 's.*', exclude: 's.b', columns: { exclude: ['w'] } },
    { match: '*', writeMode: 'overwrite', target: { name: 'c' } },
  ]);
  const selected = selectStreams([stream('a'), stream('b')], pipeline);
  expect(
    selected.map(({ stream: id, columns, writeMode, target }) => [id, columns.length, writeMode, target.name]),
  ).toEqual([
    ['s.a', 2, 'append', 'a'],
    ['s.b', 3, 'overwrite', 'c'],
  ]);
});

test.each([
  [
    'a pattern that matches nothing',
    [{ match: ['s.*', 'x.*'] }],
    'pipeline.yaml:1: the pattern "x.*" matches no stream.',
  ],
  ['an entry for which nothing is left', [{ match: '*' }, { match: 's.a' }], 'no stream is left for this entry'],
  ['a column that no stream has', [{ match: '*', columns: { include: ['id', 'z'] } }], 'has a column "z"'],
  ['a key column left out', [{ match: '*', columns: { exclude: ['id'] } }], '"id" is part of the key of s.a'],
  ['two streams in one table', [{ match: '*', target: { name: 't' } }], 's.a and s.b would share the table s.t'],
])('%s is refused', (_, streams, message) => {
  expect(() => selectStreams([stream('a'), stream('b')], pipelineOf(streams))).toThrow(message);
});

test('a stream that cannot be read is found if an entry chooses it, and never selected', () => {
  const all = [stream('a'), hidden];
  expect(selectStreams(all, pipelineOf([{ match: 's.*' }])).map((one) => one.stream)).toEqual(['s.a']);
  const found = (streams: object[]) => findUnreadable(all, pipelineOf(streams)).map((one) => [one.stream, one.isNamed]);
  expect(found([{ match: 's.*' }])).toEqual([['s.hidden', false]]);
  expect(found([{ match: ['s.a', 's.hidden'] }])).toEqual([['s.hidden', true]]);
  expect(found([{ match: 's.*', exclude: 's.hid*' }])).toEqual([]);
  expect(found([{ match: 's.a' }])).toEqual([]);
});
