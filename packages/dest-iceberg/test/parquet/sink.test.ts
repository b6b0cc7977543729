import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Column } from '@fjord/core';
import { type DataFile, decodeValue } from '@fjord/iceberg';
import { temporaryFolder } from '@fjord/test-harness';
import { describe, expect, test, vi } from 'vitest';
import { EncoderThread } from '../../src/parquet/encoder-thread.ts';
import { readFooter } from '@fjord/parquet';
import { openParquetPool, type ParquetPoolOptions } from '../../src/parquet/sink.ts';
import { batchOf, fieldsOf } from './batches.ts';

const COLUMNS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'text', type: 'string', nullable: true },
];
const MEGABYTE = 1024 * 1024;
/** Threads start slowly on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

const rowsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: String(first + index), text: `row ${first + index}` }));

async function scene(options: Partial<ParquetPoolOptions> = {}) {
  const folder = await temporaryFolder('parquet');
  const pool = openParquetPool({ workers: 1, memoryBytes: MEGABYTE, io: {}, ...options });
  return {
    folder: folder.path,
    openFile: (name: string, columns = COLUMNS) =>
      pool.openFile({ prefix: path.join(folder.path, name), fields: fieldsOf(columns) }),
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function rowsIn({ filePath }: DataFile): Promise<bigint | undefined> {
  return readFooter(await readFile(filePath))?.rowCount;
}

const bounds = (file: DataFile | undefined, id: number, type: 'long' | 'string') =>
  [file?.lowerBounds?.get(id), file?.upperBounds?.get(id)].map((bytes) => bytes && decodeValue(type, bytes));

describe.each(['fjord', 'parquet-wasm'] as const)('a writer of %s', (encoder) => {
  test('gives a file with its metrics, that is on disk', async () => {
    await using pool = await scene({ encoder });
    const writer = pool.openFile('a');
    await writer.write(
      batchOf(COLUMNS, [
        { id: '7', text: null },
        { id: '-3', text: 'x' },
      ]),
    );
    const [file, ...more] = await writer.close();
    expect(more).toEqual([]);
    expect(file).toMatchObject({ fileFormat: 'PARQUET', recordCount: 2n, splitOffsets: [4n] });
    expect(file?.filePath).toMatch(/\/a-[0-9a-f-]{36}-00000\.parquet$/);
    expect(file?.valueCounts).toEqual(
      new Map([
        [1, 2n],
        [2, 2n],
      ]),
    );
    expect(file?.nullValueCounts).toEqual(
      new Map([
        [1, 0n],
        [2, 1n],
      ]),
    );
    expect(bounds(file, 1, 'long')).toEqual([-3n, 7n]);
    expect(bounds(file, 2, 'string')).toEqual(['x', 'x']);
    const stored = await readFile(file?.filePath ?? '');
    expect(BigInt(stored.length)).toBe(file?.fileSizeInBytes);
  });

  test('merges the bounds of several row groups', async () => {
    await using pool = await scene({ encoder, rowGroupRows: 10 });
    const writer = pool.openFile('a');
    await writer.write(batchOf(COLUMNS, rowsFrom(250, 10)));
    await writer.write(batchOf(COLUMNS, [...rowsFrom(-5, 1), ...rowsFrom(100_000, 1), ...rowsFrom(0, 20)]));
    const [file] = await writer.close();
    expect(file?.splitOffsets).toHaveLength(4);
    expect(bounds(file, 1, 'long')).toEqual([-5n, 100_000n]);
    expect(bounds(file, 2, 'string')).toEqual(['row -5', 'row 9']);
  });

  test('without rows leaves no file', async () => {
    await using pool = await scene({ encoder });
    const writer = pool.openFile('a');
    await writer.write(batchOf(COLUMNS, []));
    expect(await writer.close()).toEqual([]);
    expect(await readdir(pool.folder)).toEqual([]);
  });

  test('begins a further file at the target size, and loses no row between them', async () => {
    await using pool = await scene({ encoder, targetFileBytes: 1, rowGroupRows: 5000 });
    const writer = pool.openFile('a');
    for (let batch = 0; batch < 3; batch++) await writer.write(batchOf(COLUMNS, rowsFrom(batch * 15_000, 15_000)));
    const files = await writer.close();
    expect(files.map((file) => path.basename(file.filePath).slice(-13))).toEqual([
      '00000.parquet',
      '00001.parquet',
      '00002.parquet',
    ]);
    expect(await Promise.all(files.map(rowsIn))).toEqual([15_000n, 15_000n, 15_000n]);
    expect(files.map((file) => bounds(file, 1, 'long'))).toEqual([
      [0n, 14_999n],
      [15_000n, 29_999n],
      [30_000n, 44_999n],
    ]);
  });

  test('does not mix with another on the same thread', async () => {
    await using pool = await scene({ encoder, rowGroupRows: 50 });
    const [odd, even] = [pool.openFile('odd'), pool.openFile('even')];
    for (let batch = 0; batch < 10; batch++) {
      await (batch % 2 ? odd : even).write(batchOf(COLUMNS, rowsFrom(batch * 20, 20)));
    }
    const [[oddFile], [evenFile]] = await Promise.all([odd.close(), even.close()]);
    expect([oddFile?.recordCount, evenFile?.recordCount]).toEqual([100n, 100n]);
    expect([bounds(oddFile, 1, 'long'), bounds(evenFile, 1, 'long')]).toEqual([
      [20n, 199n],
      [0n, 179n],
    ]);
  });

  test('takes the batch over instead of copying it', async () => {
    await using pool = await scene({ encoder });
    const writer = pool.openFile('a');
    const batch = batchOf(COLUMNS, rowsFrom(0, 10));
    const owned = Uint8Array.from(batch.body[0] ?? []);
    await writer.write({ rows: 10, body: [owned] });
    expect(owned.length).toBe(0);
    expect((await writer.close())[0]?.recordCount).toBe(10n);
  });

  test('takes a batch in pieces', async () => {
    await using pool = await scene({ encoder });
    const writer = pool.openFile('a');
    const [body = new Uint8Array()] = batchOf(COLUMNS, rowsFrom(0, 10)).body;
    await writer.write({ rows: 10, body: [body.subarray(0, 3), body.subarray(3, 700), body.subarray(700)] });
    expect((await writer.close())[0]?.recordCount).toBe(10n);
  });

  test('writes 1,600 columns', async () => {
    await using pool = await scene({ encoder });
    const columns = Array.from({ length: 1600 }, (_, index): Column => ({
      name: `c${index}`,
      type: index % 2 ? 'string' : 'int',
      nullable: true,
    }));
    const writer = pool.openFile('wide', columns);
    const row = Object.fromEntries(
      columns.map(({ name, type }, index) => [name, type === 'int' ? index : `v${index}`]),
    );
    for (let batch = 0; batch < 3; batch++) await writer.write(batchOf(columns, [row, {}, row]));
    const [file] = await writer.close();
    expect(file?.recordCount).toBe(9n);
    expect(file?.nullValueCounts).toEqual(new Map(columns.map((_, index) => [index + 1, 3n])));
    expect(bounds(file, 1600, 'string')).toEqual(['v1599', 'v1599']);
  });

  test('writes cells of 16 MB one row group after the other', async () => {
    await using pool = await scene({ encoder });
    const writer = pool.openFile('a');
    for (let id = 0; id < 6; id++) {
      await writer.write(
        batchOf(COLUMNS, [{ id: String(id), text: String(id) + randomBytes(8 * MEGABYTE).toString('hex') }]),
      );
    }
    const [file] = await writer.close();
    expect(file?.recordCount).toBe(6n);
    expect(file?.splitOffsets?.length).toBeGreaterThan(1);
    expect(bounds(file, 1, 'long')).toEqual([0n, 5n]);
  });
});

describe('a writer that fails', () => {
  test('refuses a batch with another number of rows than it says', async () => {
    await using pool = await scene();
    const writer = pool.openFile('a');
    await writer.write({ ...batchOf(COLUMNS, rowsFrom(0, 10)), rows: 11 });
    await expect(writer.close()).rejects.toThrow('A batch said to have 11 rows has 10.');
    await writer.abort();
    expect(await readdir(pool.folder)).toEqual([]);
  });

  test('notices rows that the encoder drops without an error', async () => {
    await using pool = await scene();
    const required: Column[] = [{ name: 'id', type: 'long', nullable: false }];
    const writer = pool.openFile('a', required);
    await writer.write(batchOf(required, [{ id: '1' }]));
    await writer.write(batchOf([{ name: 'id', type: 'long', nullable: true }], [{ id: null }, { id: '2' }]));
    await expect(writer.close()).rejects.toThrow();
    await writer.abort();
    expect(await readdir(pool.folder)).toEqual([]);
  });

  test('leaves nothing after abort, of finished and open files', async () => {
    await using pool = await scene({ targetFileBytes: 1, rowGroupRows: 5000 });
    const writer = pool.openFile('a');
    await writer.write(batchOf(COLUMNS, rowsFrom(0, 15_000)));
    await writer.write(batchOf(COLUMNS, rowsFrom(0, 50)));
    await writer.abort();
    expect(await readdir(pool.folder)).toEqual([]);
  });

  test('leaves nothing after abort of a closed writer', async () => {
    await using pool = await scene();
    const writer = pool.openFile('a');
    await writer.write(batchOf(COLUMNS, rowsFrom(0, 50)));
    await writer.close();
    await writer.abort();
    expect(await readdir(pool.folder)).toEqual([]);
  });

  test('does not hinder another writer on the same thread', async () => {
    await using pool = await scene();
    const [bad, good] = [pool.openFile('bad'), pool.openFile('good')];
    await bad.write({ rows: 1, body: [Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)] });
    await good.write(batchOf(COLUMNS, rowsFrom(0, 10)));
    await expect(bad.close()).rejects.toThrow();
    await bad.abort();
    expect((await good.close())[0]?.recordCount).toBe(10n);
  });

  test('gives the storage error with its code', async () => {
    await using pool = await scene();
    const writer = pool.openFile('missing\0');
    await writer.write(batchOf(COLUMNS, rowsFrom(0, 10)));
    await expect(writer.close()).rejects.toMatchObject({ name: 'IcebergError', code: 'storage_failed' });
    await writer.abort();
  });
});

describe('a thread that dies', () => {
  test('rejects the writers it had, leaves no file, and is replaced', async () => {
    await using pool = await scene({ encoder: 'parquet-wasm', rowGroupRows: 10 });
    const [first, second] = [pool.openFile('first'), pool.openFile('second')];
    await second.write(batchOf(COLUMNS, rowsFrom(0, 50)));
    await first.write(batchOf(COLUMNS, rowsFrom(0, 50)));
    await first.write({ rows: 1, body: [trappingBody()] });
    await expect(first.close()).rejects.toThrow('A Parquet worker thread died.');
    await expect(second.close()).rejects.toThrow('A Parquet worker thread died.');
    await Promise.all([first.abort(), second.abort()]);
    expect(await readdir(pool.folder)).toEqual([]);
    const third = pool.openFile('third');
    await third.write(batchOf(COLUMNS, rowsFrom(0, 50)));
    expect((await third.close())[0]?.recordCount).toBe(50n);
  });

  test('wakes those who wait for room', async () => {
    const script = new URL(
      "data:text/javascript,import{parentPort}from'node:worker_threads';parentPort.on('message',()=>{throw Error('boom')})",
    );
    const thread = new EncoderThread(script, { wasm: undefined, sortBytes: 0 }, 10);
    await thread.reserve(10);
    const waiting = thread.reserve(5);
    const call = thread.call({ type: 'close', writer: 1 });
    await expect(call).rejects.toMatchObject({ cause: new Error('boom') });
    await expect(waiting).rejects.toThrow('A Parquet worker thread died.');
    await expect(thread.call({ type: 'close', writer: 1 })).rejects.toThrow('A Parquet worker thread died.');
  });
});

describe('room', () => {
  test('is given in order, and a batch larger than all of it goes alone', async () => {
    const script = new URL("data:text/javascript,import'node:worker_threads'");
    const thread = new EncoderThread(script, { wasm: undefined, sortBytes: 0 }, 10);
    const order: string[] = [];
    await thread.reserve(25);
    const large = thread.reserve(11).then(() => order.push('large'));
    const small = thread.reserve(1).then(() => order.push('small'));
    thread.release(25);
    await large;
    expect(order).toEqual(['large']);
    thread.release(11);
    await small;
    expect([order, thread.bytesInFlight]).toEqual([['large', 'small'], 1]);
  });
});

/** A batch whose header points outside of itself in a place that the WebAssembly code does not check: it traps. */
function trappingBody(): Uint8Array {
  const [body = new Uint8Array()] = batchOf(COLUMNS, rowsFrom(0, 2)).body;
  const bytes = Uint8Array.from(body);
  const view = new DataView(bytes.buffer);
  const batchMessage = 8 + view.getInt32(4, true);
  view.setInt32(batchMessage + 8 + 24, 0x7ffffff0, true);
  return bytes;
}
