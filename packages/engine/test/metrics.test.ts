import { expect, test } from 'vitest';
import { SyncMetrics } from '../src/metrics.ts';
import type { StreamProgress } from '../src/progress.ts';

const stream = (name: string, changes: Partial<StreamProgress> = {}): StreamProgress => ({
  stream: name,
  target: `lake.${name}`,
  status: 'RUNNING',
  rows: 10,
  bytes: 100,
  committedRows: 5,
  commits: 2,
  rejected: { at: 1, tags: 2 },
  notes: [],
  resumed: false,
  ...changes,
});

/** The values of a metric by its labels, the pipeline's left out. */
async function valuesOf(metrics: SyncMetrics, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /\{(.*)\} (\S+)$/.exec(line) ?? [];
      return [
        labels
          .split(',')
          .filter((label) => !label.startsWith('pipeline='))
          .join(','),
        Number(value),
      ];
    }),
  );
}

test('figures are those of the moment they are asked for', async () => {
  const metrics = new SyncMetrics({ pipeline: 'shop', version: '1.0.0' });
  let streams = [stream('a', { lagBytes: 7, lagSeconds: 0.5, committedAt: 2_000 }), stream('b', { status: 'WAITING' })];
  metrics.progress(() => streams);
  expect(await valuesOf(metrics, 'fjord_stream_rows_read_total')).toEqual({ 'stream="a"': 10, 'stream="b"': 10 });
  streams = [stream('a', { rows: 12, phase: 'loading' })];
  expect(await valuesOf(metrics, 'fjord_stream_rows_read_total')).toEqual({ 'stream="a"': 12 });
  expect(await valuesOf(metrics, 'fjord_stream_rejected_values_total')).toEqual({ 'stream="a"': 3 });
  expect(await valuesOf(metrics, 'fjord_stream_lag_bytes')).toEqual({});
  expect(await valuesOf(metrics, 'fjord_stream_phase')).toEqual({ 'stream="a",phase="backfill"': 1 });
  expect(await valuesOf(metrics, 'fjord_streams')).toMatchObject({ 'phase="backfill"': 1, 'phase="waiting"': 0 });
});

test('the label of streams is bounded: beyond, totals are summed and the worst of the others is told', async () => {
  const metrics = new SyncMetrics({ pipeline: 'shop', version: '1.0.0' });
  const streams = Array.from({ length: 1_003 }, (_, index) => stream(`s${index}`, { lagBytes: index }));
  metrics.progress(() => streams);
  const rows = await valuesOf(metrics, 'fjord_stream_rows_read_total');
  expect(Object.keys(rows)).toHaveLength(1_001);
  expect(rows['stream="(others)"']).toBe(30);
  expect((await valuesOf(metrics, 'fjord_stream_lag_bytes'))['stream="(others)"']).toBe(1_002);
  expect(Object.keys(await valuesOf(metrics, 'fjord_stream_phase'))).toHaveLength(1_000);
});

test('survived faults are retries, and errors are counted by code', async () => {
  const metrics = new SyncMetrics({ pipeline: 'shop', version: '1.0.0' });
  const log = { type: 'LOG', level: 'warn', message: 'm', at: '' } as const;
  metrics.line({ ...log, fields: { code: 'source_busy' } }, 'source');
  metrics.line(log, 'source');
  metrics.line({ type: 'ERROR', code: 'fenced', message: 'm', help: 'h', retryable: false }, 'destination');
  metrics.restarted();
  expect(await valuesOf(metrics, 'fjord_retries_total')).toEqual({ 'from="source"': 1 });
  expect(await valuesOf(metrics, 'fjord_errors_total')).toEqual({ 'from="destination",code="fenced"': 1 });
  expect(await valuesOf(metrics, 'fjord_restarts_total')).toEqual({ '': 1 });
});

test.skipIf(process.platform !== 'linux')(
  'memory and CPU time of a process are what the kernel counts (Linux)',
  async () => {
    const metrics = new SyncMetrics({ pipeline: 'shop', version: '1.0.0' });
    const memory = (await valuesOf(metrics, 'fjord_process_resident_memory_bytes'))['process="engine"'] ?? 0;
    const known = process.memoryUsage().rss;
    expect(memory).toBeGreaterThan(known / 2);
    expect(memory).toBeLessThan(known * 2);
    expect((await valuesOf(metrics, 'fjord_process_cpu_seconds_total'))['process="engine"']).toBeGreaterThan(0);
  },
);
