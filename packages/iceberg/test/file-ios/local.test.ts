import { access } from 'node:fs/promises';
import { temporaryFolder } from '@fjord/test-harness';
import { describe, expect, test } from 'vitest';
import { openFileIO } from '../../src/index.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const plain = (value: Uint8Array) => [...value];

describe.each(['', 'file://', 'file:'])('local files at "%s/…"', (scheme) => {
  test('are written with their folders, read, and deleted', async () => {
    await using folder = await temporaryFolder();
    const location = `${scheme}${folder.path}/a b/c%20d/ü#?.bin`;
    const io = openFileIO(location);
    expect(await io.exists(location)).toBe(false);
    await io.write(location, bytes(1, 2, 3, 4));
    await access(`${folder.path}/a b/c%20d/ü#?.bin`);
    expect(plain(await io.read(location))).toEqual([1, 2, 3, 4]);
    expect(plain(await io.readRange(location, 1, 2))).toEqual([2, 3]);
    expect(plain(await io.readRange(location, 3, 10))).toEqual([4]);
    await io.delete(location);
    await io.delete(location);
    expect(await io.exists(location)).toBe(false);
    await expect(io.read(location)).rejects.toMatchObject({
      code: 'file_not_found',
      message: `${location} does not exist.`,
    });
  });

  test('are written in pieces, and vanish when aborted', async () => {
    await using folder = await temporaryFolder();
    const io = openFileIO(`${scheme}${folder.path}`);
    const location = `${scheme}${folder.path}/x/pieces`;
    const writer = await io.createWriter(location);
    await writer.write(bytes(1, 2));
    await writer.write(bytes(3));
    expect(await writer.close()).toEqual({ length: 3 });
    expect(plain(await io.read(location))).toEqual([1, 2, 3]);
    const other = await io.createWriter(`${location}2`);
    await other.write(bytes(1));
    await other.abort();
    expect(await io.exists(`${location}2`)).toBe(false);
  });
});

test('a folder that cannot be made is a storage error that names the file', async () => {
  await using folder = await temporaryFolder();
  const io = openFileIO(folder.path);
  await io.write(`${folder.path}/file`, bytes(1));
  await expect(io.write(`${folder.path}/file/below`, bytes(1))).rejects.toMatchObject({
    code: 'storage_failed',
    message: `${folder.path}/file/below could not be used (ENOTDIR).`,
  });
});

test.each([
  ['relative/path', 'invalid_argument'],
  ['ftp://bucket/x', 'unsupported'],
])('location %s is refused', (location, code) => {
  expect(() => openFileIO(location)).toThrow(expect.objectContaining({ code }));
});
