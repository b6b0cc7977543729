import { type ColumnType, parsePrimitive } from '@fjord/core';
import type { Data } from 'apache-arrow';
import type { Value } from './value.ts';

/** Reads the value of a row, null where there is none. */
export type Read<Of = Value> = (row: number) => Of;

/** A reader of a column of a primitive type in an Arrow batch. */
export function readerOf(data: Data, type: ColumnType): Read {
  const read = typeof type === 'string' ? plainReader(data, type) : undefined;
  if (!read) throw new Error('only columns of primitive types are computed with');
  return withNulls(data, read);
}

/** A reader of text as its UTF-8 bytes, to be compared or hashed without being decoded. */
export function bytesReaderOf(data: Data): Read<Buffer | null> {
  return withNulls(data, variableReader(data));
}

function withNulls<Of>(data: Data, read: (row: number) => Of): Read<Of | null> {
  if (data.nullCount === 0) return read;
  const { nullBitmap, offset } = data;
  if (!nullBitmap || nullBitmap.length === 0) return read;
  return (row) => ((nullBitmap[(offset + row) >> 3]! >> ((offset + row) & 7)) & 1 ? read(row) : null);
}

function plainReader(data: Data, name: string): Read {
  const type = parsePrimitive(name);
  const { values, offset } = data;
  switch (type.kind) {
    case 'boolean':
      return (row) => ((values[(offset + row) >> 3] >> ((offset + row) & 7)) & 1) === 1;
    case 'int':
    case 'date':
    case 'float':
    case 'double':
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return (row) => values[row];
    case 'decimal':
      return (row) => readDecimal(values, row * 4);
    case 'string': {
      const read = variableReader(data);
      return (row) => read(row).toString();
    }
    case 'binary':
      return variableReader(data);
    case 'uuid':
      return (row) => values.subarray(row * 16, row * 16 + 16);
    case 'fixed':
      return (row) => values.subarray(row * type.length, (row + 1) * type.length);
    default:
      return type satisfies never;
  }
}

function variableReader({ values, valueOffsets }: Data): Read<Buffer> {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return (row) => bytes.subarray(valueOffsets[row], valueOffsets[row + 1]);
}

/** 128 bits in four words, the lowest first. */
function readDecimal(words: Uint32Array, at: number): bigint {
  const high = words[at + 3]! | 0;
  const upper = words[at + 2]! | 0;
  const second = words[at + 1]! | 0;
  // Most decimals have 53 bits: they need one bigint, not seven.
  if ((high === 0 || high === -1) && upper === high && second < 0x10_0000 && second >= -0x10_0000) {
    if (second < 0 === high < 0) return BigInt(second * 4_294_967_296 + (words[at]! >>> 0));
  }
  const low = (BigInt(words[at + 1]! >>> 0) << 32n) | BigInt(words[at]! >>> 0);
  return (BigInt(high) << 96n) | (BigInt(words[at + 2]! >>> 0) << 64n) | low;
}
