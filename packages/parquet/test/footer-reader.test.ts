import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ParquetError, readFooter } from '../src/index.ts';
import { lookAlikeFile } from './look-alike-file.ts';
import { seed } from './seed.ts';

describe('readFooter', () => {
  test('tells rows, leaves and row groups', async () => {
    const file = await lookAlikeFile(100);
    const footer = readFooter(file, file.length);
    expect(footer?.rowCount).toBe(100n);
    expect(footer?.leaves.map(({ isRepeated }) => isRepeated)).toEqual([false, true]);
    expect(footer?.rowGroups.map(({ columns }) => columns.map(({ nullCount }) => nullCount))).toEqual([
      [0n, 14n],
      [0n, 13n],
      [0n, 7n],
    ]);
    expect(footer).toEqual(readFooter(file));
  });

  test('refuses a file that is cut at any byte', async () => {
    const file = await lookAlikeFile(100);
    for (let length = 0; length < file.length; length++) {
      const cut = file.subarray(0, length);
      expect(() => readFooter(cut, length), `cut at ${length}`).toThrow(ParquetError);
    }
  });

  test('asks for more of the file if the tail is too short', async () => {
    const file = await lookAlikeFile(100);
    for (const tail of [0, 7, 8, 100])
      expect(readFooter(file.subarray(file.length - tail), file.length)).toBeUndefined();
  });

  test(`reads a damaged footer or refuses it with a ParquetError (seed ${seed})`, async () => {
    const file = await lookAlikeFile(100);
    const start = file.length - 8 - file.readUInt32LE(file.length - 8);
    const change = fc.record({ at: fc.noBias(fc.integer({ min: start, max: file.length - 1 })), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const copy = Buffer.from(file);
        for (const { at, byte } of changes) copy[at] = byte;
        try {
          readFooter(copy, copy.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ParquetError);
        }
      }),
      { seed, numRuns: 3000 },
    );
  });

  test.each([
    ['is encrypted', 'PARE', 'its footer is encrypted'],
    ['is something else', 'PAR2', 'it does not end with PAR1'],
  ])('says that a file %s', (_, magic, message) => {
    expect(() => readFooter(Buffer.from(`PAR1\0\0\0\0${magic}`))).toThrow(message);
  });
});
