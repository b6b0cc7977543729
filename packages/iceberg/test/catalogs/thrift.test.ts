import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ThriftClient, ThriftException } from '../../src/catalogs/hive/thrift-client.ts';
import { decodeMessage, encodeCall } from '../../src/catalogs/hive/thrift-protocol.ts';
import { type ThriftValue, fieldsOf, int, list, struct, text, textMap } from '../../src/catalogs/hive/thrift-value.ts';

/** One value of every type, nested. */
const EVERY_TYPE: Record<number, ThriftValue> = {
  1: { type: 'boolean', value: true },
  2: { type: 'byte', value: -5 },
  3: { type: 'i16', value: -300 },
  4: int(-70_000),
  5: { type: 'i64', value: -(2n ** 63n) },
  6: { type: 'double', value: -1.5 },
  7: text('größe 🐟'),
  8: struct({ 1: text(''), 32_767: list('struct', [struct({}), struct({ 2: int(1) })]) }),
  9: { type: 'set', of: 'i32', items: [int(1), int(2)] },
  10: textMap({ a: '1', b: '' }),
  11: { type: 'map', of: ['i32', 'list'], entries: [[int(1), list('string', [text('x')])]] },
};

test('a call is encoded as the binary protocol says (Thrift specification: Thrift Binary protocol encoding)', () => {
  const bytes = encodeCall('get', 7, fieldsOf({ 1: text('ab'), 2: int(1) }));
  const expected = [
    '80010001',
    '00000003',
    '676574',
    '00000007',
    '0b0001',
    '00000002',
    '6162',
    '080002',
    '00000001',
    '00',
  ];
  expect(bytes.toString('hex')).toBe(expected.join(''));
});

test('values of every type are read as they were written', () => {
  const fields = fieldsOf(EVERY_TYPE);
  expect(decodeMessage(encodeCall('m', 1, fields))).toEqual({ type: 1, sequence: 1, fields });
});

test('a message that is not complete is waited for, wherever it ends', () => {
  const bytes = encodeCall('m', 1, fieldsOf(EVERY_TYPE));
  for (let length = 0; length < bytes.length; length++)
    expect(decodeMessage(bytes.subarray(0, length))).toBeUndefined();
});

test('bytes that are no message are refused', () => {
  expect(() => decodeMessage(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow(RangeError);
  const broken = encodeCall('m', 1, fieldsOf({ 1: int(1) }));
  broken[broken.length - 8] = 99;
  expect(() => decodeMessage(broken)).toThrow('Thrift has no type 99.');
});

test('a connection that breaks fails its call, and the next call opens another', async () => {
  let connections = 0;
  // Answers with the call itself as a reply, from the second connection on.
  const server = createServer((socket) => {
    if (++connections === 1) return void socket.once('data', () => socket.destroy());
    socket.on('data', (call) => {
      call.writeUInt8(2, 3);
      socket.write(call);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new ThriftClient('127.0.0.1', (server.address() as AddressInfo).port);
  const result = new Map<number, ThriftValue>([[0, text('x')]]);
  await expect(client.call('m', result)).rejects.toThrow('closed before the answer');
  expect(await client.call('m', result)).toEqual(text('x'));
  const exception = fieldsOf({ 2: struct({ 1: text('why') }) });
  await expect(client.call('m', exception)).rejects.toEqual(new ThriftException(2, 'm: why'));
  const both = await Promise.all([client.call('a', result), client.call('b', result)]);
  expect(both).toEqual([text('x'), text('x')]);
  expect(connections).toBe(2);
  await client.close();
  server.close();
});
