import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchToRecords } from '../../src/arrow/apache-arrow.ts';
import { type ColumnType, formatColumnType } from '../../src/column-type.ts';
import { encode } from './golden-batch.ts';

const MICROS_PER_DAY = 86_400_000_000;

const text = fc.string({ unit: 'binary' });
const base64 = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const date = fc
  .date({ min: new Date(Date.UTC(0, 0, 1)), max: new Date(Date.UTC(9999, 11, 31)), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10))
  .filter((day) => /^\d{4}-/.test(day));
const time = fc.integer({ min: 0, max: MICROS_PER_DAY - 1 }).map((micros) => {
  const clock = new Date(Math.floor(micros / 1000)).toISOString().slice(11, 23);
  return clock + String(micros % 1000).padStart(3, '0');
});
const timestamp = fc.tuple(date, time).map(([day, clock]) => `${day}T${clock}`);
// JSON has no -0, so that a double's sign of zero does not survive as text.
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.constantFrom('NaN', 'Infinity', '-Infinity'),
);
const float = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.constantFrom('NaN', 'Infinity', '-Infinity'),
);

const decimal = (precision: number, scale: number) =>
  fc.bigInt({ min: 1n - 10n ** BigInt(precision), max: 10n ** BigInt(precision) - 1n }).map((unscaled) => {
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
    const point = digits.length - scale;
    return (unscaled < 0n ? '-' : '') + (scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`);
  });

const orNull = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: null });

const TYPES: [ColumnType, fc.Arbitrary<unknown>][] = [
  ['boolean', fc.boolean()],
  ['int', fc.integer()],
  ['long', long],
  ['float', float],
  ['double', double],
  ['decimal(9,2)', decimal(9, 2)],
  ['decimal(38,0)', decimal(38, 0)],
  ['decimal(38,38)', decimal(38, 38)],
  ['date', date],
  ['time', time],
  ['timestamp', timestamp],
  ['timestamptz', timestamp.map((moment) => `${moment}Z`)],
  ['string', text],
  ['uuid', fc.uuid()],
  ['binary', base64],
  ['fixed(5)', fc.uint8Array({ minLength: 5, maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString('base64'))],
  [{ type: 'list', element: 'boolean' }, fc.array(orNull(fc.boolean()))],
  [{ type: 'list', element: { type: 'list', element: 'string' } }, fc.array(orNull(fc.array(orNull(text))))],
  [{ type: 'map', key: 'string', value: 'decimal(9,2)' }, fc.array(fc.tuple(text, orNull(decimal(9, 2))))],
  [
    {
      type: 'struct',
      fields: [
        { name: 'a', type: 'long' },
        { name: 'b', type: { type: 'list', element: 'date' } },
      ],
    },
    fc.record({ a: orNull(long), b: orNull(fc.array(orNull(date))) }),
  ],
  [
    { type: 'list', element: { type: 'struct', fields: [{ name: 'a', type: 'uuid' }] } },
    fc.array(orNull(fc.record({ a: orNull(fc.uuid()) }))),
  ],
];

describe('JSON to Arrow to JSON', () => {
  test.each(TYPES.map(([type, values]) => ({ name: formatColumnType(type), type, values })))(
    'keeps every value of $name',
    ({ type, values }) => {
      const columns = [{ name: 'value', type, nullable: true }];
      fc.assert(
        fc.property(
          fc.array(fc.record({ value: orNull(values) }, { noNullPrototype: true }), { maxLength: 30 }),
          (rows) => {
            const back = [...batchToRecords([encode(columns, rows)], columns)];
            expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify(rows)));
          },
        ),
        { numRuns: 60 },
      );
    },
  );
});
