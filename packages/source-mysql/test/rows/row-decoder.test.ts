import { batchToRecords } from '@fjord/core/apache-arrow';
import { describe, expect, test } from 'vitest';
import { RowDecoder } from '../../src/rows/row-decoder.ts';
import type { RowColumn } from '../../src/rows/row-column.ts';

const OPTIONS = { stream: 'shop.t', unrepresentable: 'null', batchBytes: 1 << 20 } as const;
const FULL_PACKET = 0xff_ff_ff;

/** A payload in packets of at most 16 MB, as the server sends it. */
function packets(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at <= payload.length; at += FULL_PACKET) {
    const part = payload.subarray(at, at + FULL_PACKET);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    parts.push(header, part);
  }
  return Buffer.concat(parts);
}

/** The description of a column, with one more text before its fixed part where `extended`, as MariaDB sends it. */
function definition(type: number, { charset = 63, flags = 0, decimals = 0, extended = false } = {}): Buffer {
  const names = Buffer.from('\x03def\x00\x00\x00\x01a\x01a', 'latin1');
  const fixed = Buffer.alloc(13);
  fixed.writeUInt8(12, 0);
  fixed.writeUInt16LE(charset, 1);
  fixed.writeUInt8(type, 7);
  fixed.writeUInt16LE(flags, 8);
  fixed.writeUInt8(decimals, 10);
  return packets(Buffer.concat([names, Buffer.from(extended ? '\x04json' : '', 'latin1'), fixed]));
}

const EOF = packets(Buffer.from([0xfe, 0, 0, 2, 0]));
const bigint: RowColumn = { name: 'a', type: 'long', wire: 'int8', nullable: true, isKey: false };
const text: RowColumn = { name: 'b', type: 'string', wire: 'text', nullable: true, isKey: false };

/** An answer with a bigint and a text. */
function answer(...rows: Buffer[]): Buffer {
  const columns = [definition(8), definition(253, { charset: 45, extended: true })];
  return Buffer.concat([packets(Buffer.from([2])), ...columns, EOF, ...rows.map(packets), EOF]);
}

function row(a: bigint | null, b: Buffer | null): Buffer {
  const nulls = Buffer.from([0, (a === null ? 4 : 0) | (b === null ? 8 : 0)]);
  const number = Buffer.alloc(a === null ? 0 : 8);
  if (a !== null) number.writeBigInt64LE(a);
  return Buffer.concat([nulls, number, ...(b === null ? [] : [lengthOf(b), b])]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 251) return Buffer.from([length]);
  const [first, bytes] = length < 2 ** 16 ? [252, 2] : length < 2 ** 24 ? [253, 3] : [254, 8];
  const encoded = Buffer.alloc(1 + bytes);
  encoded.writeUInt8(first);
  encoded.writeUIntLE(length, 1, Math.min(bytes, 6));
  return encoded;
}

function decode(bytes: Buffer, pieceBytes: number) {
  const decoder = new RowDecoder([bigint, text], OPTIONS);
  const batches = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    batches.push(...decoder.push(bytes.subarray(at, at + pieceBytes)));
  batches.push(...decoder.end());
  const records = batches.flatMap(({ body }) => [...batchToRecords(body, [bigint, text])]);
  return { records, decoder };
}

describe('rows of the binary protocol', () => {
  const rows: [bigint | null, string | null][] = [
    [1n, 'é'],
    [null, ''],
    [-(2n ** 63n), null],
    [2n ** 63n - 1n, 'x'.repeat(250)],
    [null, null],
    [7n, 'y'.repeat(251)],
    [8n, 'z'.repeat(70_000)],
  ];
  const bytes = answer(...rows.map(([a, b]) => row(a, b === null ? null : Buffer.from(b))));
  const expected = rows.map(([a, b]) => ({ a: a === null ? null : String(a), b }));

  test.each([1, 2, 3, 5, 7, 64, 1000, 1 << 20])('are decoded from pieces of %i bytes', (pieceBytes) => {
    const { records, decoder } = decode(bytes, pieceBytes);
    expect(records).toEqual(expected);
    expect(decoder.isFinished).toBe(true);
  });

  test.each([FULL_PACKET - 15, FULL_PACKET - 14, FULL_PACKET, 2 * FULL_PACKET + 5])(
    'are joined from packets of 16 MB where a text has %i bytes',
    (length) => {
      const long = Buffer.alloc(length, 'q');
      const { records, decoder } = decode(answer(row(1n, long), row(2n, Buffer.from('after'))), 1 << 20);
      expect(records.map(({ a }) => a)).toEqual(['1', '2']);
      expect(records[0]?.['b']).toHaveLength(length);
      expect(records[1]?.['b']).toBe('after');
      expect(decoder.isFinished).toBe(true);
    },
  );

  test('that begin like the end of an answer are rows', () => {
    const { records } = decode(answer(row(0xfen, Buffer.from('a'))), 1000);
    expect(records).toEqual([{ a: '254', b: 'a' }]);
  });
});

test('an error of the server ends the answer, in its midst too', () => {
  const error = packets(Buffer.from('\xff\xd0\x0b#HY000Query execution was interrupted', 'latin1'));
  const full = answer(row(1n, null));
  const { records, decoder } = decode(Buffer.concat([full.subarray(0, full.length - EOF.length), error]), 1000);
  expect(records).toEqual([{ a: '1', b: null }]);
  expect(decoder.isFinished).toBe(true);
  expect(decoder.serverError).toMatchObject({
    errno: 3024,
    sqlState: 'HY000',
    message: 'Query execution was interrupted',
  });
});

test.each([
  ['another type', definition(3)],
  ['another sign', definition(8, { flags: 0x20 })],
])('a column that has %s than was looked up makes the plan outdated', (_, first) => {
  const bytes = Buffer.concat([packets(Buffer.from([2])), first, definition(253, { charset: 45 }), EOF]);
  const decoder = new RowDecoder([bigint, text], OPTIONS);
  expect(() => decoder.push(bytes)).toThrow(expect.objectContaining({ code: 'plan_outdated' }));
});
