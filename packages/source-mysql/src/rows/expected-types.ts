import { type ColumnDefinition, FIELD } from './column-definitions.ts';
import type { Wire } from './wire.ts';

const BLOBS: number[] = [FIELD.TINY_BLOB, FIELD.MEDIUM_BLOB, FIELD.LONG_BLOB, FIELD.BLOB];
const STRINGS: number[] = [FIELD.VARCHAR, FIELD.VAR_STRING, FIELD.STRING, FIELD.ENUM, FIELD.SET, ...BLOBS];
const DECIMALS: number[] = [FIELD.DECIMAL, FIELD.NEWDECIMAL];

/** The protocol's types that hold what a decoder reads; signed and unsigned are told apart by a flag. */
const TYPES: Record<Wire, number[]> = {
  int1: [FIELD.TINY],
  uint1: [FIELD.TINY],
  int2: [FIELD.SHORT],
  uint2: [FIELD.SHORT, FIELD.YEAR],
  int4: [FIELD.LONG, FIELD.INT24],
  uint4: [FIELD.LONG, FIELD.INT24],
  int8: [FIELD.LONGLONG],
  uint8: [FIELD.LONGLONG],
  boolean: [FIELD.TINY],
  float4: [FIELD.FLOAT],
  float8: [FIELD.DOUBLE],
  decimal: DECIMALS,
  'wide decimal': DECIMALS,
  date: [FIELD.DATE],
  datetime: [FIELD.DATETIME],
  timestamp: [FIELD.TIMESTAMP],
  time: [FIELD.TIME],
  bit: [FIELD.BIT],
  bits: [FIELD.BIT],
  'wide bits': [FIELD.BIT],
  text: [...STRINGS, FIELD.JSON, ...DECIMALS],
  bytes: STRINGS,
  geometry: [FIELD.GEOMETRY],
  uuid: STRINGS,
  vector: [FIELD.VECTOR],
};

const SIGNED = new Set<Wire>(['int1', 'int2', 'int4', 'int8']);
const UNSIGNED = new Set<Wire>(['uint1', 'uint4', 'uint8']);

/** Whether a column of a result is what its decoder reads. `scale` is that of a decimal. */
export function isExpected(definition: ColumnDefinition, { wire, scale }: { wire: Wire; scale: number }): boolean {
  const { type, isUnsigned, isBinary, decimals } = definition;
  if (!TYPES[wire].includes(type)) return false;
  if (SIGNED.has(wire)) return !isUnsigned;
  if (wire === 'uint2') return isUnsigned || type === FIELD.YEAR;
  if (UNSIGNED.has(wire)) return isUnsigned;
  if (wire === 'decimal') return decimals === scale;
  if (wire === 'bytes') return isBinary;
  // JSON is text whatever its character set says; so are the digits of a decimal.
  if (wire === 'text') return !isBinary || type === FIELD.JSON || DECIMALS.includes(type);
  return true;
}
