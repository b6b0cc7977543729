import type { Column } from '@fjord/core';
import { appendRecord, BatchBuilder } from '@fjord/core/arrow';

const WORDS = ['card', 'cash', 'no charge', 'dispute', 'unknown'];

/** Columns of made-up taxi trips: those of the benchmark `trips`. */
const TYPES = {
  id: 'long',
  vendor_id: 'int',
  pickup_at: 'timestamp',
  dropoff_at: 'timestamptz',
  passenger_count: 'int',
  trip_distance: 'double',
  rate_code_id: 'int',
  store_and_fwd: 'boolean',
  pu_location_id: 'int',
  do_location_id: 'int',
  payment_type: 'string',
  fare_amount: 'double',
  extra: 'float',
  tip_amount: 'double',
  tolls_amount: 'decimal(8,2)',
  total_amount: 'decimal(12,2)',
  service_date: 'date',
  note: 'string',
} as const;
const isNullable = (name: string) => name === 'passenger_count' || name === 'note';
/** The columns as a source describes them. */
export const tripColumns: Column[] = Object.entries(TYPES).map(([name, type]) => ({
  name,
  type,
  nullable: isNullable(name),
}));
/** The same as fields of a table. */
export const tripFields = Object.entries(TYPES).map(([name, type], index) => ({
  id: index + 1,
  name,
  required: !isNullable(name),
  type,
}));

/** A 30-bit hash of a row's number. */
function mix(value: number): number {
  let hash = Math.imul(value ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & 0x3fffffff;
}

const cents = (value: number) => Math.round(value * 100) / 100;

/** One made-up trip as the data of a RECORD. */
export function trip(id: number): Record<keyof typeof TYPES, unknown> {
  const h = mix(id);
  const at = Date.UTC(2024, 0, 1) + (id % 31_536_000) * 1000;
  return {
    id,
    vendor_id: 1 + (h & 1),
    pickup_at: new Date(at + ((h >> 3) & 511)).toISOString().slice(0, -1),
    dropoff_at: new Date(at + (120 + ((h >> 5) & 4095)) * 1000).toISOString(),
    passenger_count: (h >> 7) % 41 === 0 ? null : 1 + ((h >> 7) & 5),
    trip_distance: cents(((h >> 9) & 8191) / 317),
    rate_code_id: 1 + ((h >> 11) % 6),
    store_and_fwd: (h >> 13) % 97 === 0,
    pu_location_id: 1 + ((h >> 15) % 263),
    do_location_id: 1 + (mix(h) % 263),
    payment_type: WORDS[h % 5],
    fare_amount: cents(2.5 + ((h >> 12) & 16_383) / 211),
    extra: ((h >> 17) % 5) * 0.5,
    tip_amount: cents(((h >> 14) & 4095) / 251),
    tolls_amount: h % 13 === 0 ? '6.55' : '0.00',
    total_amount: ((((h >> 11) & 65_535) + 350) / 100).toFixed(2),
    service_date: new Date(at).toISOString().slice(0, 10),
    note: (h & 4096) === 0 ? null : note(id).slice(0, 12 + (h % 19)),
  };
}

function note(id: number): string {
  return [1, 2, 3, 4]
    .map((part) =>
      mix(id * 4 + part)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
}

/** Rows `first` to `first + rows` as one Arrow IPC stream; the same each time. */
export function tripBatch(first: number, rows: number): Uint8Array {
  const builder = new BatchBuilder(tripColumns, { capacityRows: rows });
  for (let row = 0; row < rows; row++) appendRecord(builder, trip(first + row));
  return Buffer.concat(builder.finish().body);
}
