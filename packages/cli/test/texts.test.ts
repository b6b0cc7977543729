import { expect, test } from 'vitest';
import type { StreamVerdict } from '@fjord/engine';
import { failureText } from '../src/failure-text.ts';
import { progressLine, totalLine } from '../src/live-view.ts';
import { formatBytes, formatCount, table } from '../src/table-text.ts';
import { describe } from '../src/verify.ts';

test('a table aligns its first column to the left and the others to the right', () => {
  expect(
    table(
      ['stream', 'rows'],
      [
        ['a', '1'],
        ['longer name', '12,345'],
      ],
    ),
  ).toBe(['stream         rows', 'a                 1', 'longer name  12,345'].join('\n'));
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1_234_567_890, '1.2 GB'],
  [5e15, '5000.0 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('counts have thousands apart', () => {
  expect([0, 999, 1_234_567.4].map(formatCount)).toEqual(['0', '999', '1,234,567']);
});

test('a failure is two lines for a person and one JSON line for a program', () => {
  const failure = {
    from: 'source',
    code: 'c',
    message: 'It broke.',
    help: 'Mend it.',
    retryable: false,
    stream: 's',
    exit: 5,
  } as const;
  expect(failureText(failure, false)).toBe('error: It broke. (stream s) [c]\nfix: Mend it.\n');
  expect(JSON.parse(failureText(failure, true))).toEqual({ type: 'ERROR', ...failure });
});

test('a line of progress shows speed, share and what is left, but no share of a wrong estimate', () => {
  const stream = {
    stream: 's',
    target: 't',
    status: 'RUNNING',
    rows: 500,
    bytes: 4_000_000,
    committedRows: 0,
    commits: 0,
  } as const;
  const rest = { rejected: {}, notes: [], resumed: false, startedAt: 1000 };
  expect(progressLine({ ...stream, ...rest, estimatedRows: 1000 }, 3000)).toBe(
    's  500 rows  2.0 MB/s  50 %  0:02 left',
  );
  expect(progressLine({ ...stream, ...rest, estimatedRows: 400 }, 3000)).toBe('s  500 rows  2.0 MB/s');
});

test('the last line of the live view sums up, and says what is left where every stream has an estimate', () => {
  const stream = { stream: 's', target: 't', rows: 500, bytes: 1, committedRows: 0, commits: 0 } as const;
  const rest = { rejected: {}, notes: [], resumed: false };
  const streams = [
    { ...stream, ...rest, status: 'COMPLETE' } as const,
    { ...stream, ...rest, status: 'RUNNING', estimatedRows: 10_500 } as const,
  ];
  const speed = { rowsPerSecond: 100, bytesPerSecond: 2_000_000, retries: 2 };
  expect(totalLine(streams, speed)).toBe('1 of 2 streams complete  2.0 MB/s  1:40 left  2 retries');
  const unknown = { ...stream, ...rest, status: 'RUNNING' } as const;
  expect(totalLine([...streams, unknown], { ...speed, retries: 0 })).toBe('1 of 3 streams complete  2.0 MB/s');
});

test('a comparison shows some of the keys that differ, and what there is to say', () => {
  const verdict: StreamVerdict = {
    stream: 'shop.orders',
    table: 'shop.orders',
    status: 'different',
    rows: { source: 1200, table: 1194 },
    ranges: { count: 2, differing: [1] },
    keys: { missing: Array.from({ length: 7 }, (_, id) => ({ id })), extra: [{ id: 'x' }], changed: [] },
    isListed: false,
    notes: ['a note'],
  };
  expect(describe([verdict]).split('\n').slice(1)).toEqual([
    'shop.orders -> shop.orders  different  1,200     1,194              1 of 2',
    'shop.orders: 7 lost in the table: {"id":0}, {"id":1}, {"id":2}, {"id":3}, {"id":4}, and 2 more',
    'shop.orders: 1 only in the table: {"id":"x"}',
    'shop.orders: of its 1 ranges that differ not all rows were looked at',
    'shop.orders: a note',
    '',
  ]);
});
