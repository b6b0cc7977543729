import type { Column } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { expect, test } from 'vitest';
import { decodeRows } from '../../src/partition/decode-rows.ts';
import { gatherRows } from '../../src/partition/gather.ts';
import { batchOf } from '../parquet/batches.ts';

const COLUMNS: Column[] = (
  [
    ['flag', 'boolean'],
    ['small', 'int'],
    ['big', 'long'],
    ['price', 'decimal(38,4)'],
    ['ratio', 'double'],
    ['at', 'timestamptz'],
    ['key', 'uuid'],
    ['odd', 'fixed(3)'],
    ['text', 'string'],
    ['bytes', 'binary'],
    ['list', { type: 'list', element: { type: 'list', element: 'string' } }],
    ['map', { type: 'map', key: 'string', value: 'long' }],
    [
      'struct',
      {
        type: 'struct',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'b', type: { type: 'list', element: 'boolean' } },
        ],
      },
    ],
  ] as const
).map(([name, type]) => ({ name, type: structuredClone(type) as Column['type'], nullable: true }));

function row(seed: number): Record<string, unknown> {
  if (seed % 11 === 5) return Object.fromEntries(COLUMNS.map(({ name }) => [name, null]));
  const text = `${seed} ${'x'.repeat(seed % 40)} ü🐟`;
  return {
    flag: seed % 2 === 0,
    small: -seed,
    big: String(4_007_199_254_740_993n * BigInt(seed)),
    price: `${seed}.1234`,
    ratio: seed / 3,
    at: '2024-01-31T12:00:00.000001Z',
    key: `00000000-0000-4000-8000-${String(seed).padStart(12, '0')}`,
    odd: Buffer.from([seed & 255, 1, 2]).toString('base64'),
    text,
    bytes: Buffer.from(text).toString('base64'),
    list: seed % 3 === 0 ? [] : [[text, null], null, ['z']],
    map:
      seed % 4 === 0
        ? []
        : [
            [text, null],
            ['k', String(seed)],
          ],
    struct: seed % 5 === 0 ? null : { a: seed % 7 === 0 ? null : seed, b: [true, null, seed % 2 === 0] },
  };
}

test('chosen rows of several batches become one batch, whatever their types', () => {
  const batches = [40, 1, 200].map((count, index) =>
    batchOf(
      COLUMNS,
      Array.from({ length: count }, (_, at) => row(index * 1000 + at)),
    ),
  );
  const records = batches.map(({ body }) => [...batchToRecords(body, COLUMNS)]);
  const chosen = [[0, 5, 6, 39], [0], [199, 3, 3, 16, 120]].map((rows) => Int32Array.from(rows));
  const selections = batches.flatMap(({ body }, index) =>
    decodeRows(body).map((rows) => ({ rows, indices: chosen[index]! })),
  );
  const { rows, body } = gatherRows(COLUMNS, selections);
  expect(rows).toBe(10);
  const wanted = chosen.flatMap((indices, batch) => Array.from(indices, (index) => records[batch]![index]));
  expect([...batchToRecords(body, COLUMNS)]).toEqual(wanted);
});

test('a stream that comes in pieces, unaligned, is read as it is', () => {
  const { body } = batchOf(COLUMNS, [row(1), row(2)]);
  const whole = Buffer.concat([Buffer.of(0), ...body]).subarray(1);
  const [rows] = decodeRows([whole.subarray(0, 100), whole.subarray(100)]);
  const gathered = gatherRows(COLUMNS, [{ rows: rows!, indices: Int32Array.of(0, 1) }]);
  expect([...batchToRecords(gathered.body, COLUMNS)]).toEqual([...batchToRecords(body, COLUMNS)]);
});
