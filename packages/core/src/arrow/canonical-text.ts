import type { Data } from 'apache-arrow';
import { type ColumnType, parsePrimitive } from '../column-type.ts';
import { readValue } from './batch-to-records.ts';

/** Gives the text of a row's value; undefined for null. */
export type TextReader = (row: number) => string | undefined;

const DOUBLE = new DataView(new ArrayBuffer(8));

/**
 * Reads values of a column as text, the same for the same value wherever it is: its JSON form, but floats and doubles as the bits of the
 * double (`NaN` for each of these), binary in hexadecimal, and lists, maps and structs as JSON (docs/verify.md).
 */
export function canonicalReader(data: Data, type: ColumnType): TextReader {
  const render = rendererOf(type);
  return (row) => {
    const value = readValue(data, type, row);
    return value === null ? undefined : render(value);
  };
}

/** Whether the text of a type's values may have any length and hold any character: in a row's text its length stands before it. */
export function isFreeText(type: ColumnType): boolean {
  return typeof type !== 'string' || parsePrimitive(type).kind === 'string';
}

/** The JSON form of a value whose canonical text is given; only for types that a key can have. */
export function parseCanonical(type: ColumnType, text: string): unknown {
  if (typeof type !== 'string') throw new Error('a key column is not primitive');
  const { kind } = parsePrimitive(type);
  if (kind === 'boolean') return text === 'true';
  if (kind === 'int') return Number(text);
  if (kind === 'float' || kind === 'double') return parseDouble(text);
  if (kind === 'binary' || kind === 'fixed') return Buffer.from(text, 'hex').toString('base64');
  return text;
}

function rendererOf(type: ColumnType): (value: unknown) => string {
  if (typeof type !== 'string') return JSON.stringify;
  const { kind } = parsePrimitive(type);
  if (kind === 'float' || kind === 'double') return doubleBits;
  if (kind === 'binary' || kind === 'fixed') return (value) => Buffer.from(String(value), 'base64').toString('hex');
  return String;
}

function doubleBits(value: unknown): string {
  const number = Number(value);
  if (Number.isNaN(number)) return 'NaN';
  DOUBLE.setFloat64(0, number);
  return DOUBLE.getBigUint64(0).toString(16).padStart(16, '0');
}

function parseDouble(text: string): number | string {
  if (text === 'NaN') return text;
  DOUBLE.setBigUint64(0, BigInt(`0x${text}`));
  const number = DOUBLE.getFloat64(0);
  return Number.isFinite(number) ? number : String(number);
}
