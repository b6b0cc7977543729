import { expect, test } from 'vitest';
import { batchToRecords } from '../../src/arrow/apache-arrow.ts';
import { CHANGE_COLUMNS } from '../../src/arrow/index.ts';
import type { DestinationWriter } from '../../src/destination.ts';
import type { DestinationMessage } from '../../src/protocol/messages.ts';
import { RecordGatherer } from '../../src/runtime/record-gatherer.ts';

const columns = [{ name: 'id', type: 'long', nullable: false }];
const schema: DestinationMessage = { type: 'SCHEMA', stream: 's', version: 3, columns, primaryKey: ['id'] };
const position = (ordinal: number) => ordinal.toString(16).padStart(32, '0');
const change = (op: 'c' | 'u' | 'd', ordinal: number) =>
  ({ type: 'RECORD', stream: 's', data: { id: String(ordinal) }, op, position: position(ordinal) }) as const;

/** What a destination that takes Arrow is given. */
async function gather(messages: DestinationMessage[]): Promise<DestinationMessage[]> {
  const taken: DestinationMessage[] = [];
  const writer: DestinationWriter = {
    states: () => Promise.resolve([]),
    write: (message) => Promise.resolve(void taken.push(message)),
    finish: () => Promise.resolve({ failed: [] }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const gatherer = new RecordGatherer(writer);
  for (const message of [schema, ...messages]) await gatherer.write(message);
  return taken.slice(1);
}

const sizes = (messages: DestinationMessage[]) =>
  messages.map((message) => (message.type === 'BATCH' ? [message.kind, message.rows] : message.type));

test('changes become a batch of changes of the schema that was sent, before whatever comes next', async () => {
  const truncate = { type: 'TRUNCATE', stream: 's', position: position(3) } as const;
  const [batch, ...others] = await gather([
    change('c', 1),
    change('u', 2),
    truncate,
    change('d', 4),
    { type: 'STATE', state: 1 },
  ]);
  expect(sizes(others)).toEqual(['TRUNCATE', ['changes', 1], 'STATE']);
  if (batch?.type !== 'BATCH') throw new Error('changes are gathered');
  expect(batch).toMatchObject({ kind: 'changes', schema: 3, rows: 2 });
  expect([...batchToRecords(batch.body, [...columns, ...CHANGE_COLUMNS])].map(({ _op }) => _op)).toEqual(['c', 'u']);
});

test('rows of no chunk and changes keep their order', async () => {
  const row = { type: 'RECORD', stream: 's', data: { id: '9' } } as const;
  expect(sizes(await gather([row, row, change('c', 1), row, { type: 'STATE', state: 1 }]))).toEqual([
    ['backfill', 2],
    ['changes', 1],
    ['backfill', 1],
    'STATE',
  ]);
});

test('a change of key stays in one batch, however full it is', async () => {
  const full = Array.from({ length: 8191 }, (_, index) => change('u', index));
  const moved = [change('d', 8191), change('c', 8192), change('c', 8193), { type: 'STATE', state: 1 } as const];
  expect(sizes(await gather([...full, ...moved]))).toEqual([['changes', 8193], ['changes', 1], 'STATE']);
});
