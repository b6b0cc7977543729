import { tableFromIPC } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { batchToRecords } from '../../src/arrow/apache-arrow.ts';
import { appendRecord, BatchBuilder } from '../../src/arrow/index.ts';
import type { ColumnType } from '../../src/column-type.ts';
import { ConnectorError } from '../../src/errors.ts';
import { encode, GOLDEN_COLUMNS, GOLDEN_ROWS, GOLDEN_TYPES, goldenBatch } from './golden-batch.ts';

const primitives = GOLDEN_TYPES.flatMap(({ type, values }) => (typeof type === 'string' ? [{ type, values }] : []));

describe('golden values', () => {
  test.each(primitives)('$type has the documented bytes', ({ type, values }) => {
    const rows = values.map(({ json }) => ({ value: json }));
    const table = tableFromIPC(encode([{ name: 'value', type, nullable: false }], rows));
    const data = table.batches[0]?.data.children[0];
    if (!data) throw new Error('no column');
    const width = (values[0]?.hex?.length ?? 0) / 2;
    const bytes = values.map((_, row) => {
      if (type === 'boolean') return (data.values[row >> 3] >> (row & 7)) & 1 ? '01' : '00';
      const all = Buffer.from(data.values.buffer, data.values.byteOffset, data.values.byteLength);
      const [from, to] = data.valueOffsets
        ? [data.valueOffsets[row], data.valueOffsets[row + 1]]
        : [row * width, (row + 1) * width];
      return all.subarray(from, to).toString('hex');
    });
    expect(bytes).toEqual(values.map(({ hex }) => hex));
  });

  test('come back as they were', () => {
    expect([...batchToRecords([goldenBatch()], GOLDEN_COLUMNS)]).toEqual(GOLDEN_ROWS);
  });

  test('come back from a batch in pieces', () => {
    const bytes = goldenBatch();
    const pieces = [bytes.subarray(0, 100), bytes.subarray(100)];
    expect([...batchToRecords(pieces, GOLDEN_COLUMNS)]).toEqual(GOLDEN_ROWS);
  });
});

const roundTrip = (type: ColumnType, value: unknown): unknown => {
  const columns = [{ name: 'value', type, nullable: true }];
  return [...batchToRecords([encode(columns, [{ value }])], columns)][0]?.['value'];
};

describe('other forms on input', () => {
  test.each<[ColumnType, unknown, unknown]>([
    ['long', 42, '42'],
    ['long', -9007199254740991, '-9007199254740991'],
    ['int', '7', 7],
    ['decimal(9,2)', '1', '1.00'],
    ['decimal(9,2)', '1.5', '1.50'],
    ['decimal(9,2)', '1.500', '1.50'],
    ['decimal(9,2)', '-0.00', '0.00'],
    ['time', '12:34:56', '12:34:56.000000'],
    ['timestamp', '2024-02-29 12:34:56.1', '2024-02-29T12:34:56.100000'],
    ['timestamptz', '2024-02-29T12:34:56+05:30', '2024-02-29T07:04:56.000000Z'],
    ['timestamptz', '2024-03-01T00:30:00-01:00', '2024-03-01T01:30:00.000000Z'],
    ['uuid', '01234567-89AB-CDEF-0123-456789ABCDEF', '01234567-89ab-cdef-0123-456789abcdef'],
    ['binary', '/w', '/w=='],
    ['string', undefined, null],
  ])('%j takes %j as %j', (type, given, kept) => {
    expect(roundTrip(type, given)).toEqual(kept);
  });
});

describe('wrong forms', () => {
  test.each<[ColumnType, unknown]>([
    ['boolean', 1],
    ['boolean', 'true'],
    ['int', 2147483648],
    ['int', 1.5],
    ['int', true],
    ['long', '9223372036854775808'],
    ['long', 9007199254740992],
    ['long', ''],
    ['long', '1.0'],
    ['float', '1.5'],
    ['float', 1e39],
    ['double', 'nan'],
    ['decimal(9,2)', 1.5],
    ['decimal(9,2)', '1.005'],
    ['decimal(9,2)', '10000000.00'],
    ['decimal(9,2)', 'NaN'],
    ['date', '2023-02-29'],
    ['date', '2024-2-29'],
    ['date', '+5881580-07-12'],
    ['time', '24:00:00'],
    ['time', '12:34:56.1234567'],
    ['timestamp', '2024-02-29T12:34:56Z'],
    ['timestamp', '+294247-01-10T04:00:54.775808'],
    ['timestamptz', '2024-02-29T12:34:56'],
    ['string', 5],
    ['string', '\ud800'],
    ['uuid', '0123456789abcdef0123456789abcdef'],
    ['binary', 'a*b='],
    ['fixed(3)', 'AAA='],
    [{ type: 'list', element: 'int' }, 1],
    [{ type: 'list', element: 'int' }, ['x']],
    [{ type: 'list', element: 'int', elementRequired: true }, [null]],
    [{ type: 'map', key: 'string', value: 'int' }, { a: 1 }],
    [{ type: 'map', key: 'string', value: 'int' }, [[null, 1]]],
    [{ type: 'map', key: 'string', value: 'int', valueRequired: true }, [['a', null]]],
    [{ type: 'struct', fields: [{ name: 'a', type: 'int' }] }, []],
    [{ type: 'struct', fields: [{ name: 'a', type: 'int', required: true }] }, {}],
  ])('%j refuses %j, naming the column and never the value', (type, value) => {
    const builder = new BatchBuilder([{ name: 'price', type, nullable: true }]);
    const refusal = catchError(() => appendRecord(builder, { price: value }));
    expect(refusal).toBeInstanceOf(ConnectorError);
    expect((refusal as ConnectorError).code).toBe('protocol_violation');
    expect((refusal as ConnectorError).message).toMatch(
      /^Column "price" of a RECORD needs a value of type .* in its JSON form\.$/,
    );
  });

  test('a missing value of a column that is not nullable is refused', () => {
    const builder = new BatchBuilder([{ name: 'price', type: 'int', nullable: false }]);
    expect(() => appendRecord(builder, {})).toThrow(
      'Column "price" of a RECORD needs a value, since it is not nullable.',
    );
  });

  test('a column named like a property of every object is null when it is missing', () => {
    const columns = ['constructor', 'toString', '__proto__'].map((name) => ({ name, type: 'string', nullable: true }));
    expect([...batchToRecords([encode(columns, [{}])], columns)].map((row) => Object.values(row))).toEqual([
      [null, null, null],
    ]);
  });
});

function catchError(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
