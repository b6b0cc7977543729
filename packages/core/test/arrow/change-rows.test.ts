import { expect, test } from 'vitest';
import { batchToRecords } from '../../src/arrow/apache-arrow.ts';
import {
  appendRecord,
  BatchBuilder,
  CHANGE_COLUMNS,
  changeBatchColumns,
  changeToRow,
  rowToChange,
} from '../../src/arrow/index.ts';
import type { Message } from '../../src/protocol/messages.ts';

const COLUMNS = Array.from({ length: 10 }, (_, index) => ({ name: `c${index}`, type: 'long', nullable: false }));
const POSITION = '0001000000000000a0b1000000000002';
const record = (changes: Partial<Message<'RECORD'>>): Message<'RECORD'> => ({
  type: 'RECORD',
  stream: 's',
  data: { c0: '1' },
  op: 'u',
  position: POSITION,
  ...changes,
});
/** Through Arrow and back. */
const sent = (message: Message<'RECORD'>) => {
  const builder = new BatchBuilder(changeBatchColumns(COLUMNS, ['c0']));
  appendRecord(builder, changeToRow(message, COLUMNS));
  const [row = {}] = batchToRecords(builder.finish().body, [...COLUMNS, ...CHANGE_COLUMNS]);
  return { row, change: rowToChange(row, COLUMNS) };
};

test.each([
  { unset: ['c1'], bits: 'AgA=' },
  { unset: ['c7', 'c8', 'c9'], bits: 'gAM=' },
])('columns $unset that were not in the log are bits, the lowest first', ({ unset, bits }) => {
  const { row, change } = sent(record({ unset, committedAt: '2024-02-29T12:34:56.123456Z' }));
  expect(row['_unset']).toBe(bits);
  expect(change.unset).toEqual(unset);
  expect(Object.keys(change.data)).toEqual(COLUMNS.map(({ name }) => name).filter((name) => !unset.includes(name)));
  expect(change).toMatchObject({ op: 'u', position: POSITION, committedAt: '2024-02-29T12:34:56.123456Z' });
});

test('a deleted row needs its key alone, though its columns are not nullable', () => {
  const { row, change } = sent(record({ op: 'd' }));
  expect(row).toMatchObject({ c0: '1', c9: null, _unset: null, _committed_at: null });
  expect(change).toEqual({
    data: { ...Object.fromEntries(COLUMNS.map(({ name }) => [name, null])), c0: '1' },
    op: 'd',
    position: POSITION,
  });
  expect(() => sent(record({ op: 'd', data: {} }))).toThrow('Column "c0"');
});

test.each([{ position: undefined }, { position: '00' }, { op: 'x' }, { unset: ['nowhere'] }])(
  'a change that says %j is refused',
  (wrong) => {
    expect(() => changeToRow(record(wrong as never), COLUMNS)).toThrow(/"op" and "position"|"nowhere" is unset/);
  },
);
