import type { JournalStream, StreamPlan } from '@fjord/engine';
import { expect, test } from 'vitest';
import { packageOf } from '../src/add.ts';
import { diagnosisText } from '../src/doctor.ts';
import { historyText } from '../src/history.ts';
import { lineText } from '../src/logs.ts';
import { planText } from '../src/plan.ts';
import { previewText } from '../src/preview.ts';
import { statusText } from '../src/status.ts';

const CONNECTORS = [
  { role: 'source', name: 'postgres', version: '1.0.0' },
  { role: 'destination', name: 'iceberg', version: '1.0.0' },
] as const;

test('a diagnosis lists every problem with a fix that can be pasted, whatever its length', () => {
  const fix = `GRANT SELECT ON TABLE ${'"public"."orders", '.repeat(8)}"public"."items" TO "fjord";`;
  const text = diagnosisText(
    { connectors: [...CONNECTORS], problems: [{ from: 'postgres', code: 'permission_denied', message: 'No.', fix }] },
    80,
  );
  expect(text.split('\n')).toEqual([
    '  source postgres 1.0.0      1 problem',
    '  destination iceberg 1.0.0  ok',
    '  streams                    not looked at',
    '',
    '1. No. (permission_denied)',
    '   fix:',
    `   ${fix}`,
    '',
    '1 problem. Then run fjord doctor again.',
  ]);
});

test('a diagnosis of a pipeline that is well says how much there is to copy', () => {
  const streams = { count: 2, estimatedRows: 1_200_000, estimatedBytes: 5e9 };
  expect(diagnosisText({ connectors: [...CONNECTORS], problems: [], streams }, undefined)).toContain(
    'streams                    2 chosen, about 1,200,000 rows, 5.0 GB',
  );
});

const ORDERS: StreamPlan = {
  stream: 'public.orders',
  target: 'lake.orders',
  syncMode: 'changes',
  writeMode: 'upsert',
  action: 'copy',
  rows: 1_200_000,
  bytes: 83_100_000,
  table: { action: 'create', changes: [] },
};

test('a plan says what each stream and table becomes, and what it costs the source', () => {
  const kept: StreamPlan = {
    ...ORDERS,
    stream: 'public.items',
    target: 'lake.items',
    action: 'changes',
    table: { action: 'change', changes: ['add note string'], warning: 'holds rows of others' },
  };
  delete kept.rows;
  delete kept.bytes;
  const text = planText({ streams: [ORDERS, kept], unreadable: [], consistency: 'snapshot', profile: 'balanced' }, 80);
  expect(text.split('\n')).toEqual([
    'stream         sync                       ~rows    ~size  table',
    'public.orders  copy, changes, upsert  1,200,000  83.1 MB  create lake.orders',
    'public.items   changes, upsert                -        -  change lake.items',
    '',
    'lake.items: add note string',
    'lake.items holds rows of others',
    '',
    '1 of 2 streams are copied: about 1,200,000 rows, 83.1 MB in the source (profile',
    'balanced, consistency snapshot). Tables: 1 to create, 1 to change.',
    '',
    '2 follow the change log: the server keeps its log for this pipeline until each',
    'sync has read it, or `fjord remove` gives it up.',
  ]);
});

test('a preview that is too wide for the screen is turned, so that every column is seen', () => {
  const columns = [
    { name: 'id', type: 'long', nullable: false },
    { name: 'note', type: 'string', nullable: true },
  ];
  const rows = [
    { id: '1', note: 'a note that is longer than the screen, which is narrow, is wide' },
    { id: '2', note: null },
  ];
  const found = { stream: 'public.notes', target: 'lake.notes', columns, rows };
  expect(previewText(found, undefined)).toContain('long  string\n');
  expect(previewText(found, 62).split('\n')).toEqual([
    'public.notes -> lake.notes',
    '',
    'column  type    row 1                             row 2',
    'id      long    1                                 2',
    'note    string  a note that is longer than the …  NULL',
    '',
  ]);
});

const STREAM: JournalStream = {
  run: 7,
  stream: 'public.orders',
  target: 'lake.orders',
  status: 'COMPLETE',
  rows: 1200,
  bytes: 83_000,
  committedRows: 1200,
  commits: 3,
  rejected: { at: 2 },
  notes: [],
  resumed: false,
};

test('history has a line a run, with how it ended', () => {
  const run = {
    startedAt: '2025-06-02T00:00:00.000Z',
    endedAt: '2025-06-02T00:00:12.340Z',
    pid: 1,
    mode: 'once',
  } as const;
  const text = historyText(
    [
      { ...run, run: 8, exitCode: 3, code: 'source_unreachable', streams: [] },
      { ...run, run: 7, exitCode: 0, streams: [STREAM] },
    ],
    undefined,
  );
  expect(text.split('\n')).toEqual([
    'run  begun (UTC)            took   rows     size  commits  rejected  ended',
    '  8  2025-06-02 00:00:00  12.3 s      0      0 B        0         0  source_unreachable',
    '  7  2025-06-02 00:00:00  12.3 s  1,200  83.0 kB        3         2  complete',
  ]);
});

test('status says where a stream is and how the last run went', () => {
  const now = Date.parse('2025-06-02T03:00:00Z');
  const text = statusText(
    {
      run: {
        run: 7,
        startedAt: '2025-06-02T00:00:00.000Z',
        endedAt: '2025-06-02T00:01:00.000Z',
        pid: 1,
        mode: 'once',
        exitCode: 0,
      },
      streams: [
        {
          stream: 'public.orders',
          target: 'lake.orders',
          phase: 'complete',
          rows: 1200,
          committedAt: '2025-06-02T00:00:59Z',
          lastRun: STREAM,
        },
        { stream: 'public.items', target: 'lake.items', phase: 'nothing yet' },
      ],
    },
    { now, width: 80 },
  );
  expect(text.split('\n')).toEqual([
    'stream         state         rows  last commit  last run',
    'public.orders  complete     1,200  2 hours ago  1,200 rows',
    'public.items   nothing yet      -            -  -',
    '',
    'Run 7: complete, begun 3 hours ago, took 60.0 s.',
  ]);
});

test('a line of the log has its fields behind it', () => {
  expect(
    lineText({
      run: 1,
      at: '2025-06-02T12:00:00.123Z',
      from: 'source',
      level: 'warn',
      message: 'no',
      fields: { code: 'c', attempt: 2 },
    }),
  ).toBe('2025-06-02 12:00:00 warn  source: no  code=c  attempt=2');
});

test('a short name stands for a package of Fjord, and any other for itself', () => {
  expect(['postgres', 'iceberg', '@me/source-x'].map(packageOf)).toEqual([
    '@fjord/source-postgres',
    '@fjord/dest-iceberg',
    '@me/source-x',
  ]);
});
