import { Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { openParquetWriter } from '../src/index.ts';
import { damageBatch } from './arrow/messages.ts';
import { encode } from './encode.ts';

const words = tableToIPC(new Table({ word: vectorFromArray(['a', 'bb', 'ccc'], new Utf8()) }), 'stream');
const numbers = tableToIPC(new Table({ number: vectorFromArray([1, 2, 3], new Int32()) }), 'stream');

describe('a writer', () => {
  test.each([
    ['a damaged batch', damageBatch(words, (view, { nodes }) => view.setBigInt64(nodes[0] ?? 0, 4n, true))],
    ['another schema', numbers],
    ['a stream that ends early', words.subarray(0, words.length - 50)],
  ])('refuses every further call after %s, so that no file comes of it', async (_, stream) => {
    const pieces: Uint8Array[] = [];
    const writer = await openParquetWriter({ write: (bytes) => void pieces.push(bytes) });
    await writer.write(words);
    await expect(writer.write(stream)).rejects.toMatchObject({ code: 'invalid_arrow' });
    for (const call of [() => writer.write(words), () => writer.close()]) {
      await expect(call()).rejects.toMatchObject({
        code: 'invalid_file',
        message: 'The Parquet file is incomplete: an earlier call failed.',
        cause: expect.objectContaining({ code: 'invalid_arrow' }),
      });
    }
    expect(pieces).toEqual([]);
  });

  test('refuses rows and a second end once it is closed', async () => {
    const writer = await openParquetWriter({ write: () => {} });
    await writer.write(words);
    await writer.close();
    await expect(writer.write(words)).rejects.toThrow('The Parquet file is closed.');
    await expect(writer.close()).rejects.toThrow('The Parquet file is closed.');
  });

  test('hands on the error of the storage, and writes no footer behind it', async () => {
    const lost = new Error('disk full');
    let calls = 0;
    const writer = await openParquetWriter({
      rowGroupRows: 1,
      write: async () => {
        calls += 1;
        throw lost;
      },
    });
    await expect(writer.write(words)).rejects.toBe(lost);
    await expect(writer.close()).rejects.toMatchObject({ code: 'invalid_file', cause: lost });
    expect(calls).toBe(1);
  });

  test('takes streams in pieces that are cut anywhere', async () => {
    const { file } = await encode([words]);
    for (let cut = 0; cut <= words.length; cut++) {
      const pieces: Uint8Array[] = [];
      const writer = await openParquetWriter({ write: (bytes) => void pieces.push(bytes) });
      expect(await writer.write([words.subarray(0, cut), new Uint8Array(), words.subarray(cut)])).toBe(3);
      await writer.close();
      expect(Buffer.concat(pieces).equals(file)).toBe(true);
    }
  });
});
