import { describe, expect, test } from 'vitest';
import {
  type FileIO,
  type FileIOProperties,
  commitTable,
  openCatalog,
  openFileIO,
  planFiles,
  stageSnapshot,
} from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';

/** A storage and a folder in it to test in. */
export interface StorageUnderTest {
  /** A location without a slash at its end. */
  folder: string;
  properties: FileIOProperties;
}

const MEGABYTE = 1024 * 1024;

let lastFolder = 0;

/** Bytes that differ everywhere, so that a part out of place is seen. */
export function pattern(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  for (let offset = 0; offset + 4 <= length; offset += 4) bytes.writeUInt32LE(offset, offset);
  return bytes;
}

/** The contract of FileIO, tested with whatever storage is behind; each test has a folder of its own. */
export function describeFileIO(what: string, storage: () => StorageUnderTest): void {
  const open = (): { io: FileIO; at: (name: string) => string } => {
    const folder = `${storage().folder}/t${++lastFolder}`;
    return { io: openFileIO(folder, storage().properties), at: (name) => `${folder}/${name}` };
  };

  const isLocal = () => /^(\/|file:)/.test(storage().folder);

  describe(what, () => {
    test('writes files, reads them in whole and in part, and deletes them', async () => {
      const { io, at } = open();
      const location = at('a b/ü/c%20d=e+f');
      expect(await io.exists(location)).toBe(false);
      await io.write(location, Uint8Array.of(1, 2, 3, 4));
      expect(await io.exists(location)).toBe(true);
      expect([...(await io.read(location))]).toEqual([1, 2, 3, 4]);
      expect([...(await io.readRange(location, 1, 2))]).toEqual([2, 3]);
      expect([...(await io.readRange(location, 3, 10))]).toEqual([4]);
      await io.write(location, Uint8Array.of(9));
      expect([...(await io.read(location))]).toEqual([9]);
      await io.delete(location);
      await io.delete(location);
      expect(await io.exists(location)).toBe(false);
      await expect(io.read(location)).rejects.toMatchObject({
        code: 'file_not_found',
        message: `${location} does not exist.`,
      });
    });

    test('writes a new file once, and lets one of many win', async () => {
      const { io, at } = open();
      const attempts = Array.from({ length: 5 }, (_, index) => io.writeNew(at('v1'), Uint8Array.of(index)));
      const outcomes = await Promise.all(attempts);
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect([...(await io.read(at('v1')))]).toEqual([outcomes.indexOf(true)]);
      expect(await io.writeNew(at('v1'), Uint8Array.of(7))).toBe(false);
      expect(await Array.fromAsync(io.list(at('')))).toHaveLength(1);
    });

    test.each([0, 5, 8 * MEGABYTE, 25 * MEGABYTE + 3])('writes %i bytes in pieces, in order', async (length) => {
      const { io, at } = open();
      const bytes = pattern(length);
      const writer = await io.createWriter(at('pieces'));
      for (let offset = 0; offset < length; offset += 3_000_000)
        await writer.write(bytes.subarray(offset, offset + 3_000_000));
      // On local disk a file is seen while it grows; nothing refers to it yet.
      if (!isLocal()) expect(await io.exists(at('pieces'))).toBe(false);
      expect(await writer.close()).toEqual({ length });
      expect(Buffer.compare(await io.read(at('pieces')), bytes)).toBe(0);
    });

    test('leaves nothing of a file that is given up', async () => {
      const { io, at } = open();
      const writer = await io.createWriter(at('given-up'));
      for (let round = 0; round < 3; round++) await writer.write(pattern(9_000_000));
      await writer.abort();
      expect(await io.exists(at('given-up'))).toBe(false);
      expect(await Array.fromAsync(io.list(at('')))).toEqual([]);
    });

    test('lists the files of a folder and of those below it, and no others', async () => {
      const { io, at } = open();
      expect(await Array.fromAsync(io.list(at('none')))).toEqual([]);
      const names = ['x/a', 'x/deep/er/b c', 'x/ü%20', 'xy/no', 'z'];
      const before = Date.now();
      for (const name of names) await io.write(at(name), Uint8Array.of(1, 2, 3));
      const found = await Array.fromAsync(io.list(at('x')));
      expect(
        found
          .map(({ location, length }) => [location, length])
          .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      ).toEqual([at('x/a'), at('x/deep/er/b c'), at('x/ü%20')].map((location) => [location, 3]));
      // Servers may count in whole seconds.
      for (const { modifiedAtMs } of found) expect(modifiedAtMs).toBeGreaterThan(before - 2000);
      await expect(io.read(found[0]?.location ?? '')).resolves.toHaveLength(3);
    });

    test('lists more files than fit a page', async () => {
      const { io, at } = open();
      const count = storage().folder.startsWith('s3:') ? 1005 : 40;
      for (let first = 0; first < count; first += 50) {
        const batch = Array.from({ length: Math.min(50, count - first) }, (_, index) => at(`many/${first + index}`));
        await Promise.all(batch.map((location) => io.write(location, Uint8Array.of(0))));
      }
      expect(await Array.fromAsync(io.list(at('many')))).toHaveLength(count);
    });

    test('holds a table, in folders alone, that two writers commit to', async () => {
      const { at } = open();
      const catalogs = await Promise.all(
        [1, 2].map(() => openCatalog({ type: 'hadoop', warehouse: at('wh'), io: storage().properties })),
      );
      const [catalog] = catalogs;
      if (!catalog) throw new Error('No catalog.');
      await catalog.createNamespace(ORDERS.namespace);
      await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
      const work = catalogs.map(async (writer, number) => {
        for (const name of ['a', 'b', 'c']) {
          const append = [dataFile(`${name}${number}`)];
          await commitTable(writer, ORDERS, (table) => stageSnapshot(table, { append }), { firstDelayMs: 5 });
        }
      });
      await Promise.all(work);
      const table = await reload(catalog);
      expect(table.metadataLocation).toBe(`${table.location}/metadata/v7.metadata.json`);
      const files = await Array.fromAsync(planFiles(table));
      expect(files.map(({ file }) => file.filePath).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
        ['a0', 'a1', 'b0', 'b1', 'c0', 'c1'].map((name) => `/data/${name}`),
      );
    });
  });
}
