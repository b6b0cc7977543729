import {
  Bool,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float64,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ParquetError, type ParquetWriterOptions } from '../../src/index.ts';
import { encode } from '../encode.ts';
import { anyDamage, damaged } from './damage.ts';

// A new seed each day: a failure names it.
const seed = Number(process.env['FJORD_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));

const OPTIONS: Omit<ParquetWriterOptions, 'write'> = {
  compression: 'none',
  rowGroupRows: 1000,
  pageBytes: 64,
  encodings: { integers: 'delta', byteArrays: 'delta-length', floats: 'byte-stream-split' },
};

test(`damaged streams are refused with a ParquetError or written, and end in either case (seed ${seed})`, async () => {
  const streams = sampleStreams();
  for (const stream of streams) expect((await encode([stream], OPTIONS)).metadata.rowCount).toBe(100);
  const ends = { refused: 0, written: 0 };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...streams), anyDamage, async (stream, damages) => {
      const outcome = await encode([damaged(stream, damages)], OPTIONS).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ParquetError);
      ends[outcome instanceof Error ? 'refused' : 'written'] += 1;
    }),
    { seed, numRuns: 3000 },
  );
  // Else the damage would be too small or too large to show anything.
  expect(Math.min(ends.refused, ends.written)).toBeGreaterThan(300);
});

test(`streams cut anywhere are refused, or written up to a whole batch (seed ${seed})`, async () => {
  const stream = sampleStreams()[2] ?? new Uint8Array();
  const rows = new Set<number>();
  for (let length = 0; length <= stream.length; length++) {
    const outcome = await encode([stream.subarray(0, length)]).catch((error: Error) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'ParquetError', code: 'invalid_arrow' });
    else rows.add(outcome.metadata.rowCount);
  }
  // The mark of the stream's end is optional: behind the schema, and behind each of two batches.
  expect([...rows]).toEqual([0, 50, 100]);
});

/** Streams of two batches: flat columns, nested ones, dictionaries, and columns without any bytes. */
function sampleStreams(): Uint8Array[] {
  const rows = Array.from({ length: 50 }, (_, row) => row);
  const some = <Value>(value: (row: number) => Value) => rows.map((row) => (row % 5 === 0 ? null : value(row)));
  const element = new Field('item', new Int32(), true);
  const entry = new Struct<{ key: Utf8; value: Int32 }>([
    new Field('key', new Utf8(), false),
    new Field('value', new Int32(), true),
  ]);
  const flat = new Table({
    int: vectorFromArray(
      some((row) => row * 3),
      new Int32(),
    ),
    long: vectorFromArray(
      some((row) => BigInt(row) ** 9n),
      new Int64(),
    ),
    real: vectorFromArray(
      some((row) => row / 7),
      new Float64(),
    ),
    flag: vectorFromArray(
      some((row) => row % 2 === 0),
      new Bool(),
    ),
    text: vectorFromArray(
      some((row) => 'x'.repeat(row)),
      new Utf8(),
    ),
    price: vectorFromArray(
      some((row) => new Uint32Array([row, 0, 0, 0])),
      new Decimal(2, 9, 128),
    ),
    large: vectorFromArray(
      some((row) => new Uint32Array([row, row, 0, 0])),
      new Decimal(2, 38, 128),
    ),
    id: vectorFromArray(
      some((row) => new Uint8Array(16).fill(row)),
      new FixedSizeBinary(16),
    ),
    nothing: vectorFromArray(
      rows.map(() => null),
      new Null(),
    ),
  });
  const nested = new Table({
    list: vectorFromArray(
      some((row) => rows.slice(0, row % 4)),
      new List(element),
    ),
    pair: vectorFromArray(
      some((row) => [row, row]),
      new FixedSizeList(2, element),
    ),
    struct: vectorFromArray(
      some((row) => ({ x: row, y: 'y'.repeat(row % 3) })),
      new Struct([new Field('x', new Int32(), true), new Field('y', new Utf8(), true)]),
    ),
    map: vectorFromArray(
      some((row) => ({ [`k${row}`]: row })),
      new Map_<Utf8, Int32>(new Field('entries', entry, false)),
    ),
  });
  const dictionary = new Table({
    word: vectorFromArray(
      some((row) => `word ${row % 7}`),
      new Dictionary(new Utf8(), new Int16()),
    ),
    code: vectorFromArray(
      some((row) => row % 3),
      new Dictionary(new Int32(), new Int32()),
    ),
  });
  const nulls = new Table({
    nothing: vectorFromArray(
      rows.map(() => null),
      new Null(),
    ),
  });
  const tables: Table[] = [flat, nested, dictionary, nulls];
  return tables.map((table) => tableToIPC(table.concat(table), 'stream'));
}
