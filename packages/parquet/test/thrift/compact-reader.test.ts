import { describe, expect, test } from 'vitest';
import { readThriftStruct } from '../../src/thrift/compact-reader.ts';

describe('readThriftStruct', () => {
  test('reads integers, booleans, binary, lists, maps and structs by field id', () => {
    const bytes = Uint8Array.of(
      ...[0x15, 0x03], // 1: i32 -2
      ...[0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], // 2: i64, the least
      ...[0x11], // 3: true
      ...[0x12], // 4: false
      ...[0x18, 0x02, 0x68, 0x69], // 5: "hi"
      ...[0x19, 0x25, 0x02, 0x04], // 6: list of two i32
      ...[0x19, 0x21, 0x01, 0x02], // 7: list of two booleans
      ...[0x1c, 0x13, 0x80, 0x00], // 8: struct { 1: byte -128 }
      ...[0x1b, 0x01, 0x58, 0x02, 0x01, 0x61], // 9: map { 1: "a" }
      ...[0x17, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], // 10: double 1.5
      ...[0x05, 0xc8, 0x01, 0x0e], // 100, its id in long form: i32 7
      0,
    );
    expect(readThriftStruct(bytes)).toEqual(
      new Map<number, unknown>([
        [1, -2n],
        [2, -(2n ** 63n)],
        [3, true],
        [4, false],
        [5, Uint8Array.of(0x68, 0x69)],
        [6, [1n, 2n]],
        [7, [true, false]],
        [8, new Map([[1, -128n]])],
        [9, [[1n, Uint8Array.of(0x61)]]],
        [10, 1.5],
        [100, 7n],
      ]),
    );
  });

  test('reads a list of more than fourteen elements', () => {
    const bytes = Uint8Array.of(0x19, 0xf5, 20, ...Array.from({ length: 20 }, () => 2), 0);
    expect(readThriftStruct(bytes).get(1)).toEqual(Array.from({ length: 20 }, () => 1n));
  });

  test.each([
    ['ends in a field', [0x15]],
    ['ends in binary', [0x18, 0x05, 0x61]],
    ['ends without a stop', [0x15, 0x02]],
    ['has an unknown type', [0x1f, 0]],
    ['has an endless integer', [0x16, ...Array.from({ length: 12 }, () => 0xff), 0]],
  ])('throws on bytes whose struct %s', (_, bytes) => {
    expect(() => readThriftStruct(Uint8Array.from(bytes))).toThrow(/Thrift/);
  });
});
