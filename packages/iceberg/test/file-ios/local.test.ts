import { access } from 'node:fs/promises';
import { type TemporaryFolder, temporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFileIO } from '../../src/index.ts';
import { describeFileIO } from './contract.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describeFileIO('files at a path', () => ({ folder: folder.path, properties: {} }));
describeFileIO('files at file://', () => ({ folder: `file://${folder.path}/by-uri`, properties: {} }));

test('a path is taken literally, whatever is in it', async () => {
  await using other = await temporaryFolder();
  const io = openFileIO('file:/');
  await io.write(`file:${other.path}/a b/c%20d/ü#?.bin`, bytes(1));
  await access(`${other.path}/a b/c%20d/ü#?.bin`);
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
