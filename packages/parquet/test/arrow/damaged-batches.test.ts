import {
  Bool,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  Int32,
  Int8,
  List,
  Null,
  Struct,
  Table,
  tableToIPC,
  TimeSecond,
  TimestampSecond,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { encode } from '../encode.ts';
import { damageBatch, findMessages, type MessagePlaces } from './messages.ts';

const text = streamOf(vectorFromArray(['a', null, 'ccc', 'dd'], new Utf8()));
const numbers = streamOf(vectorFromArray([1, null, 3, 4, 5, 6, 7, 8, 9], new Int32()));
const lists = streamOf(vectorFromArray([[1, 2], [], [3]], new List(new Field('item', new Int32(), true))));
const structs = streamOf(vectorFromArray([{ x: 1 }, { x: 2 }], new Struct([new Field('x', new Int32(), true)])));
const flags = streamOf(vectorFromArray([true, false, true], new Bool()));
const nulls = streamOf(vectorFromArray([null, null], new Null()));

type Change = (view: DataView<ArrayBuffer>, batch: MessagePlaces) => void;

describe('a damaged batch', () => {
  test.each<[string, Uint8Array, Change, RegExp]>([
    ['claims more rows than the batch', numbers, nodeLength(0, 10n), /too short|not as many rows/],
    ['claims fewer rows than the batch', numbers, nodeLength(0, 3n), /not as many rows/],
    ['claims a negative number of rows', numbers, nodeLength(0, -1n), /damaged/],
    ['claims 2^62 rows', numbers, nodeLength(0, 2n ** 62n), /damaged/],
    ['claims 2^40 booleans', flags, allRows(2n ** 40n), /claims 1099511627776 rows/],
    ['claims 2^31 nulls', nulls, allRows(2n ** 31n), /claims 2147483648 rows/],
    ['claims 2^30 nulls without a byte', nulls, allRows(2n ** 30n), /claims 1073741824 rows/],
    ['has a child that is too short', lists, nodeLength(1, 2n), /a child that is too short/],
    ['has a field of a struct that is too short', structs, nodeLength(1, 1n), /a child that is too short/],
    ['has a validity that is shorter than its rows', numbers, bufferLength(0, 1n), /a buffer that is too short/],
    ['has values that are shorter than its rows', numbers, bufferLength(1, 32n), /a buffer that is too short/],
    ['has text that is shorter than its offsets say', text, bufferLength(2, 3n), /a buffer that is too short/],
    ['has fewer offsets than rows', text, bufferLength(1, 16n), /a buffer that is too short/],
    ['has a buffer behind the body', numbers, bufferStart(1, 2n ** 20n), /a buffer outside of it/],
    ['has a buffer in front of the body', numbers, bufferStart(1, -8n), /damaged/],
    ['has a buffer of negative length', numbers, bufferLength(1, -1n), /damaged/],
    ['has offsets that descend', text, offsets(0, 4, 2, 6, 6), /do not ascend/],
    ['has a negative offset', text, offsets(-1, 1, 1, 4, 6), /do not ascend/],
    ['has negative offsets throughout', text, offsets(-5, -4, -3, -2, -1), /do not ascend/],
    [
      'ends in an offset so negative that a difference wraps',
      text,
      offsets(0, 1, 1, 0x7fff_ffff, -0x8000_0000),
      /do not ascend/,
    ],
    ['has offsets beyond its text', text, offsets(0, 1, 1, 4, 1000), /a buffer that is too short/],
    ['has offsets beyond its elements', lists, offsets(0, 2, 2, 1000), /a child that is too short/],
    ['has fewer buffers than its schema needs', numbers, vectorLength(2, 1), /too few buffers/],
    ['has more columns than its schema', structs, (view, batch) => grow(view, batch), /more columns than its schema/],
  ])('that %s is refused', async (_, stream, change, message) => {
    await expect(encode([damageBatch(stream, change)])).rejects.toMatchObject({
      name: 'ParquetError',
      code: 'invalid_arrow',
      message: expect.stringMatching(message),
    });
  });

  test('whose length says that the stream ends is refused for the rows behind it', async () => {
    const stream = damageBatch(numbers, (view, { start }) => view.setUint32(start + 4, 0, true));
    await expect(encode([stream])).rejects.toThrow('goes on behind its end');
    const filledUp = Buffer.concat([numbers, new Uint8Array(64)]);
    expect((await encode([filledUp])).metadata.rowCount).toBe(9);
  });

  test('with a negative index is refused, however large the dictionary', async () => {
    const words = Array.from({ length: 120 }, (_, index) => `word ${index}`);
    const column = vectorFromArray(words, new Dictionary(new Utf8(), new Int8()));
    const stream = damageBatch(streamOf(column), (view, { body, buffers }) => {
      view.setInt8(body.start + Number(view.getBigInt64(buffers[1] ?? 0, true)) + 3, -10);
    });
    await expect(encode([stream])).rejects.toThrow('points beyond its dictionary');
  });
});

describe('a value', () => {
  test.each([
    ['a decimal of 32 bits', decimals(9), 2n ** 31n],
    ['a negative decimal of 32 bits', decimals(9), -(2n ** 31n) - 1n],
    ['a decimal of 64 bits', decimals(18), 2n ** 63n],
    ['a negative decimal of 64 bits', decimals(18), -(2n ** 63n) - 1n],
    ['a decimal of 9 bytes', decimals(19), 2n ** 71n],
    ['a negative decimal of 9 bytes', decimals(19), -(2n ** 71n) - 1n],
  ])('that does not fit into %s is refused', async (_, stream, value) => {
    const withValue = (number: bigint) => damageBatch(stream, (view, batch) => setDecimal(view, batch, number));
    await expect(encode([withValue(value)])).rejects.toThrow('Column "c" has a value that is too large for its type.');
    const inwards = value < 0n ? value + 1n : value - 1n;
    const { metadata } = await encode([withValue(inwards)]);
    expect(BigInt(String(metadata.columns[0]?.lower))).toBe(inwards);
  });

  test.each([
    [
      'a date',
      vectorFromArray([new Date(0)], new DateMillisecond()),
      (view: DataView, at: number) => view.setBigInt64(at, 2n ** 62n, true),
    ],
    [
      'a time',
      vectorFromArray([1], new TimeSecond()),
      (view: DataView, at: number) => view.setInt32(at, 0x7fff_ffff, true),
    ],
    [
      'a timestamp',
      vectorFromArray([1000], new TimestampSecond()),
      (view: DataView, at: number) => view.setBigInt64(at, 2n ** 62n, true),
    ],
  ])('that becomes too large for %s is refused', async (_, column, set) => {
    const stream = damageBatch(streamOf(column), (view, { body, buffers }) => {
      set(view, body.start + Number(view.getBigInt64(buffers[1] ?? 0, true)));
    });
    await expect(encode([stream])).rejects.toThrow('too large for its type');
  });
});

describe('a damaged schema', () => {
  test.each<[string, Uint8Array, number, number, string, string]>([
    [
      'a negative width',
      streamOf(vectorFromArray([new Uint8Array(77)], new FixedSizeBinary(77))),
      77,
      -77,
      'invalid_arrow',
      'a negative size',
    ],
    [
      'a width of 0',
      streamOf(vectorFromArray([new Uint8Array(77)], new FixedSizeBinary(77))),
      77,
      0,
      'unsupported',
      'values of no bytes',
    ],
    ['decimals of too many digits', decimals(37), 37, 39, 'invalid_arrow', 'decimals of 39 digits in 128 bits'],
  ])('with %s is refused', async (_, stream, from, to, code, message) => {
    const copy = new Uint8Array(stream);
    const view = new DataView(copy.buffer);
    const [schema] = findMessages(stream);
    for (let at = schema?.metadata.start ?? 0; at < (schema?.metadata.end ?? 0); at += 4) {
      if (view.getInt32(at, true) === from) view.setInt32(at, to, true);
    }
    await expect(encode([copy])).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

function streamOf(column: Vector): Uint8Array {
  return tableToIPC(new Table({ c: column }), 'stream');
}

function decimals(precision: number): Uint8Array {
  return streamOf(vectorFromArray([new Uint32Array([1, 0, 0, 0])], new Decimal(0, precision, 128)));
}

function setDecimal(view: DataView, { body, buffers }: MessagePlaces, value: bigint): void {
  const at = body.start + Number(view.getBigInt64(buffers[1] ?? 0, true));
  view.setBigInt64(at, BigInt.asIntN(64, value), true);
  view.setBigInt64(at + 8, value >> 64n, true);
}

function nodeLength(node: number, length: bigint): Change {
  return (view, { nodes }) => view.setBigInt64(nodes[node] ?? 0, length, true);
}

/** The rows of the first column and of the batch, which is the one field of its table that is no reference. */
function allRows(rows: bigint): Change {
  return (view, { nodes, metadata }) => {
    const before = view.getBigInt64(nodes[0] ?? 0, true);
    for (let at = metadata.start; at + 8 <= metadata.end; at += 4) {
      if (view.getBigInt64(at, true) === before) view.setBigInt64(at, rows, true);
    }
  };
}

function bufferStart(buffer: number, start: bigint): Change {
  return (view, { buffers }) => view.setBigInt64(buffers[buffer] ?? 0, start, true);
}

function bufferLength(buffer: number, length: bigint): Change {
  return (view, { buffers }) => view.setBigInt64((buffers[buffer] ?? 0) + 8, length, true);
}

/** Offsets are the second buffer of text and lists. */
function offsets(...values: number[]): Change {
  return (view, { body, buffers }) => {
    const start = body.start + Number(view.getBigInt64(buffers[1] ?? 0, true));
    for (const [index, value] of values.entries()) view.setInt32(start + 4 * index, value, true);
  };
}

/** The count of a vector stands in front of its elements. */
function vectorLength(slot: 1 | 2, length: number): Change {
  return (view, { nodes, buffers }) => view.setUint32(((slot === 1 ? nodes : buffers)[0] ?? 0) - 4, length, true);
}

function grow(view: DataView, { nodes }: MessagePlaces): void {
  view.setUint32((nodes[0] ?? 0) - 4, nodes.length + 1, true);
}
