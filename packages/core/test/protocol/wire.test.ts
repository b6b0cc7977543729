import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConnectorError, readWire, type WireMessage, WireWriter } from '../../src/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fjord-wire-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

async function readBytes(bytes: Uint8Array | string): Promise<WireMessage[]> {
  const file = path.join(folder, `in-${++files}`);
  writeFileSync(file, bytes);
  const fd = openSync(file, 'r');
  try {
    return await Array.fromAsync(readWire(fd));
  } finally {
    closeSync(fd);
  }
}

async function errorOf(bytes: string): Promise<unknown> {
  return readBytes(bytes).then(
    () => undefined,
    (error: unknown) => (error instanceof ConnectorError ? error.code : error),
  );
}

test('what the writer writes the reader reads, lines and bytes in order', async () => {
  const file = path.join(folder, 'out');
  const fd = openSync(file, 'w');
  const writer = new WireWriter(fd);
  const big = new Uint8Array(700_000).map((_, index) => index % 251);
  await writer.write({ type: 'SCHEMA', text: 'ünï\n😀' });
  await writer.write({ type: 'BATCH', bytes: big.length + 3 }, [big, new Uint8Array([1, 2, 3])]);
  await writer.write({ type: 'BATCH', bytes: 0 }, []);
  await writer.write({ type: 'STATE' });
  await writer.flush();
  closeSync(fd);
  const messages = await readBytes(readFileSync(file));
  expect(messages.map(({ type }) => type)).toEqual(['SCHEMA', 'BATCH', 'BATCH', 'STATE']);
  expect(messages[0]).toEqual({ type: 'SCHEMA', text: 'ünï\n😀' });
  expect(Buffer.concat(messages[1]?.body ?? []).equals(Buffer.concat([big, Buffer.from([1, 2, 3])]))).toBe(true);
  expect(messages[2]?.body?.[0]?.length).toBe(0);
});

test('a body is read into memory of its own, so that it can be transferred to a worker thread', async () => {
  const [message] = await readBytes('{"type":"BATCH","bytes":5}\nabcde{"type":"STATE"}\n');
  expect(message?.body?.[0]?.buffer.byteLength).toBe(5);
});

test('lines longer than the read-ahead buffer arrive whole', async () => {
  const text = 'é'.repeat(1_000_000);
  const messages = await readBytes(`${JSON.stringify({ type: 'RECORD', text })}\n\n{"type":"STATE"}\n`);
  expect(messages).toEqual([{ type: 'RECORD', text }, { type: 'STATE' }]);
});

test.each([
  ['text that is not JSON', 'hello\n', 'protocol_violation'],
  ['a line that is no object', '[1]\n', 'protocol_violation'],
  ['an object without a type', '{"a":1}\n', 'protocol_violation'],
  ['a batch without its length', '{"type":"BATCH"}\n', 'protocol_violation'],
  ['an end in mid-line', '{"type":"STATE"', 'run_broken'],
  ['an end in mid-batch', '{"type":"BATCH","bytes":10}\nabc', 'run_broken'],
])('%s is refused', async (_, bytes, code) => {
  expect(await errorOf(bytes)).toBe(code);
});

test('no error quotes what was on the line', async () => {
  await expect(readBytes('canary-7\n')).rejects.not.toThrow(/canary-7/);
});
