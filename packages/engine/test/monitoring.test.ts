import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PHASES, SyncMetrics } from '../src/metrics.ts';

const FOLDER = path.join(import.meta.dirname, '../../../deploy/monitoring');

test.each(['alerts.yaml', 'dashboard.json'])('%s names only metrics and labels that there are', async (file) => {
  const text = await new SyncMetrics({ pipeline: 'shop', version: '1.0.0' }).text();
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  expect(known.size).toBeGreaterThan(15);
  const rules = readFileSync(path.join(FOLDER, file), 'utf8');
  const used = [...rules.matchAll(/\bfjord_[a-z_]+/g)].map(([name]) => name).filter((name) => name !== 'fjord_stream_');
  expect(used.length).toBeGreaterThan(5);
  expect(used.filter((name) => !known.has(name))).toEqual([]);
  const phases = [...rules.matchAll(/phase="([^"]+)"/g)].map(([, phase]) => phase);
  expect(phases.filter((phase) => !PHASES.some((other) => other === phase))).toEqual([]);
});
