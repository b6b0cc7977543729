import type { Column } from '@fjord/core';
import { bindTransform, createPartitionSpec, parseTransform, type PrimitiveType, type Value } from '@fjord/iceberg';
import { describe, expect, test } from 'vitest';
import { decodeRows } from '../../src/partition/decode-rows.ts';
import { PartitionKeys } from '../../src/partition/partition-keys.ts';
import { partitionPath } from '../../src/partition/partition-path.ts';
import { schemaForColumns } from '../../src/table-schema.ts';
import { batchOf } from '../parquet/batches.ts';

function keysOf(columns: Column[], terms: string[]) {
  const schema = schemaForColumns(columns, []);
  const spec = createPartitionSpec(schema, terms);
  return { schema, spec, keys: new PartitionKeys('s', { spec, schema, fields: [...schema.fields] }) };
}

/** The partition value of each row for one term over one column. */
function valuesOf(type: string, term: string, rows: unknown[]): (Value | null | undefined)[] {
  const columns = [{ name: 'c', type, nullable: true }];
  const { keys } = keysOf(columns, [term]);
  const { body } = batchOf(
    columns,
    rows.map((c) => ({ c })),
  );
  return decodeRows(body).flatMap((batch) =>
    Array.from(keys.assign(batch), (number) => keys.partition(number).get(1000)),
  );
}

const micros = (iso: string) => BigInt(Date.parse(iso)) * 1000n;

// Each value in its JSON form and as a single value; every transform must give what the table library gives for the value.
const VALUES: [type: string, iceberg: PrimitiveType, transforms: string[], values: [json: unknown, value: Value][]][] =
  [
    [
      'int',
      'int',
      ['identity', 'bucket[7]', 'truncate[10]'],
      [
        [-1, -1],
        [2147483647, 2147483647],
        [0, 0],
      ],
    ],
    [
      'long',
      'long',
      ['identity', 'bucket[7]', 'truncate[10]'],
      [
        ['-1', -1n],
        ['9223372036854775807', 2n ** 63n - 1n],
        ['-9223372036854775808', -(2n ** 63n)],
      ],
    ],
    [
      'decimal(9,2)',
      'decimal(9, 2)',
      ['identity', 'bucket[7]', 'truncate[50]'],
      [
        ['14.20', 1420n],
        ['-0.01', -1n],
        ['9999999.99', 999999999n],
      ],
    ],
    [
      'decimal(38,0)',
      'decimal(38, 0)',
      ['identity', 'bucket[7]'],
      [
        ['-99999999999999999999999999999999999999', -(10n ** 38n - 1n)],
        ['5000000000000000000000', 5n * 10n ** 21n],
      ],
    ],
    [
      'date',
      'date',
      ['identity', 'bucket[7]', 'year', 'month', 'day'],
      [
        ['1969-12-31', -1],
        ['2017-11-16', 17486],
        ['0001-01-01', -719162],
      ],
    ],
    ['time', 'time', ['identity', 'bucket[7]'], [['22:31:08', 81068000000n]]],
    [
      'timestamptz',
      'timestamptz',
      ['identity', 'bucket[7]', 'year', 'month', 'day', 'hour'],
      [
        ['1969-12-31T23:59:59.999999Z', -1n],
        ['2017-11-16T22:31:08Z', micros('2017-11-16T22:31:08Z')],
        ['9999-12-31T23:59:59.999999Z', micros('9999-12-31T23:59:59.999Z') + 999n],
      ],
    ],
    [
      'timestamp',
      'timestamp',
      ['day', 'hour'],
      [
        ['0001-01-01T00:00:00', micros('0001-01-01T00:00:00Z')],
        ['2200-01-01T00:00:00', micros('2200-01-01T00:00:00Z')],
        ['2199-12-31T23:59:59.999999', micros('2200-01-01T00:00:00Z') - 1n],
      ],
    ],
    [
      'string',
      'string',
      ['identity', 'bucket[7]', 'truncate[2]'],
      [
        ['iceberg', 'iceberg'],
        ['', ''],
        ['🐟🐟🐟', '🐟🐟🐟'],
      ],
    ],
    [
      'uuid',
      'uuid',
      ['identity', 'bucket[7]'],
      [['f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7']],
    ],
    [
      'binary',
      'binary',
      ['identity', 'bucket[7]', 'truncate[1]'],
      [
        ['AAEC', Uint8Array.of(0, 1, 2)],
        ['', new Uint8Array()],
      ],
    ],
    ['fixed(3)', 'fixed[3]', ['identity', 'bucket[7]'], [['AAEC', Uint8Array.of(0, 1, 2)]]],
    [
      'boolean',
      'boolean',
      ['identity'],
      [
        [true, true],
        [false, false],
      ],
    ],
    [
      'double',
      'double',
      ['identity'],
      [
        [1.5, 1.5],
        [-3, -3],
      ],
    ],
  ];

describe.each(VALUES)('%s', (type, iceberg, transforms, values) => {
  test.each(transforms)('by %s', (transform) => {
    const apply = bindTransform(parseTransform(transform), iceberg);
    const term = transform.replace(/^(\w+)\[(\d+)\]$/, '$1($2, c)').replace(/^(\w+)$/, '$1(c)');
    const rows = [...values.map(([json]) => json), null, ...values.map(([json]) => json)];
    const wanted = [...values.map(([, value]) => apply(value)), null, ...values.map(([, value]) => apply(value))];
    expect(valuesOf(type, term, rows)).toEqual(wanted);
  });
});

test('several fields make tuples, each numbered once, and paths that people can read', () => {
  const columns = [
    { name: 'at', type: 'timestamp', nullable: true },
    { name: 'id', type: 'long', nullable: false },
    { name: 'place', type: 'string', nullable: true },
  ];
  const { keys, spec, schema } = keysOf(columns, ['month(at)', 'truncate(10, id)', 'place']);
  const rows = [
    { at: '2024-02-29T10:00:00', id: '12', place: 'a/b' },
    { at: null, id: '12', place: 'a/b' },
    { at: '2024-02-01T00:00:00', id: '19', place: 'a/b' },
    { at: '2024-02-01T00:00:00', id: '19', place: null },
  ];
  const [batch] = decodeRows(batchOf(columns, rows).body);
  const numbers = keys.assign(batch!);
  expect([...numbers]).toEqual([0, 1, 0, 2]);
  expect([...numbers].map((number) => partitionPath(keys.partition(number), spec, schema))).toEqual([
    'at_month=2024-02/id_trunc_10=10/place=a~2fb',
    'at_month=null/id_trunc_10=10/place=a~2fb',
    'at_month=2024-02/id_trunc_10=10/place=a~2fb',
    'at_month=2024-02/id_trunc_10=10/place=null',
  ]);
});

test('too many partitions in one chunk are refused with what to do', () => {
  const rows = Array.from({ length: 10_001 }, (_, index) => index);
  expect(() => valuesOf('int', 'c', rows)).toThrow(/more than 10000 partitions/);
});
