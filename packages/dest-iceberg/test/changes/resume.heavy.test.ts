import { temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { Lake, type WriteProcess } from '../write-process.ts';
import { encodeChanges, orderKey, randomFrom } from './change-log.ts';
import { expectSame } from './expect-same.ts';
import { KEYS, RandomTable, type Transaction } from './random-table.ts';
import type { Row } from './change-log.ts';

/** What a source sends, step by step; the state after a step is its number. */
type Step =
  | { type: 'transaction'; transaction: Transaction; position: number }
  | { type: 'chunk'; name: string; rows: Row[] }
  | { type: 'handover'; position: number };

const CHUNKS = 4;

/**
 * A log that begins before the copy: each chunk is read when some of its rows have been changed by what was already sent, so that copied
 * rows replace changes (rule 6).
 */
function planSteps(table: RandomTable): Step[] {
  const steps: Step[] = [];
  let position = 1;
  const change = (most: number, unset: boolean) => {
    const transaction = table.transaction(most, { unset, truncates: unset });
    steps.push({ type: 'transaction', transaction, position });
    position += transaction.changes.length + 1;
  };
  table.fill(200);
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    for (let count = 0; count < 3; count++) change(20, false);
    const rows = [...table.rows].filter(([key]) => chunkOf(key) === chunk).map(([, row]) => row);
    steps.push({ type: 'chunk', name: String(chunk), rows });
  }
  change(20, false);
  steps.push({ type: 'handover', position });
  for (let count = 0; count < 30; count++) change(count % 10 === 0 ? 400 : 40, true);
  return steps;
}

const chunkOf = (key: string) => Buffer.from(key).reduce((sum, byte) => sum + byte, 0) % CHUNKS;

function sendStep(write: WriteProcess, table: RandomTable, step: Step): void {
  if (step.type === 'chunk') write.records(step.name, step.rows).end(step.name);
  if (step.type === 'handover') write.send({ type: 'HANDOVER', stream: 's', position: orderKey(step.position) });
  if (step.type !== 'transaction') return;
  const { transaction, position } = step;
  if (transaction.isTruncated) write.send({ type: 'TRUNCATE', stream: 's', position: orderKey(position) });
  const { rows, body } = encodeChanges(table.columns, transaction.changes, position + 1);
  write.batch(rows, body);
}

/** One run: goes on from the newest durable state, and is killed after `until` steps more, at whatever it is doing then. */
async function runOnce(
  start: () => WriteProcess,
  { table, steps, until }: { table: RandomTable; steps: Step[]; until: number },
) {
  await using write = start();
  let state: unknown = null;
  await write.line((line) => {
    if (line.type === 'STATE' && line['stream'] === 's') state = line['state'];
    return line.type === 'STATUS' && line['status'] === 'STARTED';
  });
  write.begin(state);
  const first = state === null ? 0 : Number(state) + 1;
  const handover = steps.findIndex(({ type }) => type === 'handover');
  if (first > handover) sendStep(write, table, steps[handover]!);
  const end = Math.min(steps.length, first + until);
  for (let step = first; step < end; step++) {
    sendStep(write, table, steps[step]!);
    write.state(step);
    if (step % 5 === 4) await write.line(({ type }) => type === 'STATE');
  }
  if (end < steps.length) return false;
  write.complete().state(steps.length).endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  return true;
}

for (const [key, formatVersion, seed, deleteFiles] of [
  ['long', 2, 1, 'position'],
  ['text', 3, 2, 'position'],
  ['long', 2, 3, 'copy-on-write'],
] as const) {
  test(`a copy beside the log that is killed again and again ends with the source's rows (${key}, version ${formatVersion}, ${deleteFiles})`, async () => {
    await using folder = await temporaryFolder('fjord-resume');
    const lake = new Lake(folder.path);
    const table = new RandomTable(KEYS[key]!, seed);
    const steps = planSteps(table);
    const random = randomFrom(seed);
    const layout = { changes: { deleteFiles }, formatVersion, ...(key === 'text' && { partition: ['bucket(2, id)'] }) };
    // With a megabyte of memory a transaction is folded in several runs, and waits on disk.
    const start = () =>
      lake.write(
        { writeMode: 'upsert', columns: table.columns, layout, config: { keyIndexMemoryMB: 0 } },
        '--memory',
        '1',
      );
    let runs = 0;
    while (!(await runOnce(start, { table, steps, until: 3 + random(12) }))) runs++;
    expect(runs).toBeGreaterThan(2);
    await expectSame(lake, table);
  });
}
