import type { ScalarWire, Wire } from '../copy/wire.ts';
import { writeNumeric } from './text-numeric.ts';
import { arrayWriter, hstoreBytes, structWriter } from './text-nested.ts';
import { dayOf, microsOf, microsOfDay } from './text-times.ts';

/** Writes a value, given as the server prints it in our sessions (session.ts), as the server sends it in its binary format. */
export type WriteBinary = (text: string) => Uint8Array;

/** Makes the writer for values of a wire form. */
export function writeBinary(wire: Wire): WriteBinary {
  if (typeof wire === 'string') return scalarWriter(wire);
  if (wire.kind === 'array') return arrayWriter(wire, writeBinary(wire.element));
  return structWriter(wire.fields.map((field) => writeBinary(field.wire)));
}

function scalarWriter(wire: ScalarWire): WriteBinary {
  switch (wire) {
    case 'text':
      return (text) => Buffer.from(text);
    case 'inet text':
      return (text) => Buffer.from(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
    case 'jsonb':
      // With the version of jsonb's wire format in front.
      return (text) => Buffer.from(`\u0001${text}`);
    case 'bool':
      return (text) => Uint8Array.of(text === 't' ? 1 : 0);
    case 'int2':
      return (text) => filled(2, (view) => view.setInt16(0, Number(text)));
    case 'int4':
      return (text) => filled(4, (view) => view.setInt32(0, Number(text)));
    case 'oid':
      return (text) => filled(4, (view) => view.setUint32(0, Number(text)));
    case 'int8':
    case 'xid8':
      return (text) => int64(BigInt(text));
    case 'money':
      // Printed with two digits after the point (lc_monetary C), and stored as their number.
      return (text) => int64(BigInt(text.replaceAll(/[^\d]/g, '')) * (/[-(]/.test(text) ? -1n : 1n));
    case 'float4':
      return (text) => filled(4, (view) => view.setFloat32(0, Number(text)));
    case 'float8':
      return (text) => filled(8, (view) => view.setFloat64(0, Number(text)));
    case 'numeric':
    case 'unbounded numeric':
      return writeNumeric;
    case 'date':
      return (text) => filled(4, (view) => view.setInt32(0, dayOf(text)));
    case 'time':
      return (text) => int64(microsOfDay(text));
    case 'timestamp':
    case 'timestamptz':
      return (text) => int64(microsOf(text));
    case 'uuid':
      return (text) => Buffer.from(text.replaceAll('-', ''), 'hex');
    case 'bytea':
      return bytesOf;
    case 'hstore':
      return hstoreBytes;
    case 'vector':
      return (text) => vectorBytes(text, 4);
    case 'halfvec':
      return (text) => vectorBytes(text, 2);
    case 'printed numeric':
    case 'printed interval':
    case 'printed inet':
    case 'printed macaddr':
      return () => {
        throw new Error(`the server has printed a value itself: ${wire}`);
      };
    default:
      return wire satisfies never;
  }
}

/** bytea as hex; what else travels in its form (geometry) prints hex without the mark. */
function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.startsWith(String.raw`\x`) ? text.slice(2) : text, 'hex');
}

/** pgvector prints `[1,2.5]`; in front of the numbers stand how many there are and an unused field, 16 bits each. */
function vectorBytes(text: string, width: 2 | 4): Uint8Array {
  const numbers = text.slice(1, -1).split(',').map(Number);
  return filled(4 + width * numbers.length, (view) => {
    view.setInt16(0, numbers.length);
    for (const [index, number] of numbers.entries()) {
      if (width === 4) view.setFloat32(4 + 4 * index, number);
      else view.setFloat16(4 + 2 * index, number);
    }
  });
}

function int64(value: bigint): Uint8Array {
  return filled(8, (view) => view.setBigInt64(0, BigInt.asIntN(64, value)));
}

function filled(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(new DataView(bytes.buffer));
  return bytes;
}
