import { hash } from 'node:crypto';
import type { Call, Compute } from './expression.ts';
import { formatValue, type Value } from './value.ts';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * HMAC-SHA256 (RFC 2104) of a value's text in UTF-8, of the bytes themselves for binary and fixed, as 64 lower-case hexadecimal digits.
 * Two one-shot hashes: an Hmac object for each value takes seven times as long.
 */
export function keyedHash(call: Call): Compute {
  const { inner, outer } = paddedKeys(String(call.literal(1)));
  const type = call.types[0] ?? 'string';
  let message = Buffer.concat([inner, Buffer.alloc(1024)]);
  return ([value]) => {
    const length = lengthBound(value!, type);
    if (message.length < BLOCK_BYTES + length) message = Buffer.concat([inner, Buffer.alloc(2 * length)]);
    const end = BLOCK_BYTES + writeMessage(value!, { type, message });
    outer.set(hash('sha256', message.subarray(0, end), 'buffer'), BLOCK_BYTES);
    return hash('sha256', outer, 'hex');
  };
}

function paddedKeys(salt: string): { inner: Buffer; outer: Buffer } {
  const given = Buffer.from(salt);
  const key = given.length > BLOCK_BYTES ? hash('sha256', given, 'buffer') : given;
  const inner = Buffer.alloc(BLOCK_BYTES, INNER);
  const outer = Buffer.concat([Buffer.alloc(BLOCK_BYTES, OUTER), Buffer.alloc(DIGEST_BYTES)]);
  for (const [index, byte] of key.entries()) {
    inner[index]! ^= byte;
    outer[index]! ^= byte;
  }
  return { inner, outer };
}

/** No text of a value that is not text itself is longer than this. */
const LONGEST_FORMAT = 400;
const MAX_BYTES_PER_UNIT = 3;

function lengthBound(value: Exclude<Value, null>, type: string): number {
  if (typeof value === 'string') return value.length * MAX_BYTES_PER_UNIT;
  return isBytes(type) ? (value as Uint8Array).length : LONGEST_FORMAT;
}

function writeMessage(value: Exclude<Value, null>, { type, message }: { type: string; message: Buffer }): number {
  if (!isBytes(type)) return message.write(formatValue(value, type), BLOCK_BYTES);
  message.set(value as Uint8Array, BLOCK_BYTES);
  return (value as Uint8Array).length;
}

const isBytes = (type: string) => type === 'binary' || type.startsWith('fixed');
