import { type Literal, parsePrimitive } from '@fjord/core';
import {
  formatDate,
  formatDecimal,
  formatTime,
  formatTimestamp,
  parseDate,
  parseTime,
  parseTimestamp,
} from '@fjord/core/arrow';

/**
 * A value of a primitive type as it is computed with: number for int, date (days), float and double; bigint for long, decimal
 * (unscaled) and times (microseconds); bytes for uuid, binary and fixed.
 */
export type Value = boolean | number | bigint | string | Uint8Array | null;

/** The text of a value, its JSON form without quotes (docs/protocol.md, Types). */
export function formatValue(value: Exclude<Value, null>, type: string): string {
  const primitive = parsePrimitive(type);
  switch (primitive.kind) {
    case 'decimal':
      return formatDecimal(value as bigint, primitive.scale);
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as bigint);
    case 'timestamp':
      return formatTimestamp(value as bigint);
    case 'timestamptz':
      return `${formatTimestamp(value as bigint)}Z`;
    case 'uuid':
      return bufferOf(value)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    case 'binary':
    case 'fixed':
      return bufferOf(value).toString('base64');
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return String(value);
    default:
      return primitive satisfies never;
  }
}

/** A literal, in the JSON form of its type, as a value. */
export function parseLiteral(literal: Literal, type: string): Exclude<Value, null> {
  const primitive = parsePrimitive(type);
  switch (primitive.kind) {
    case 'boolean':
    case 'string':
      return literal;
    case 'int':
    case 'float':
    case 'double':
      return Number(literal);
    case 'long':
      return BigInt(literal);
    case 'decimal':
      return parseScaled(String(literal), primitive.scale) ?? wrong(literal, type);
    case 'date':
      return parseDate(String(literal)) ?? wrong(literal, type);
    case 'time':
      return parseTime(String(literal)) ?? wrong(literal, type);
    case 'timestamp':
    case 'timestamptz':
      return parseTimestamp(String(literal), primitive.kind === 'timestamptz') ?? wrong(literal, type);
    case 'uuid':
      return Buffer.from(String(literal).replaceAll('-', ''), 'hex');
    case 'binary':
    case 'fixed':
      return Buffer.from(String(literal), 'base64');
    default:
      return primitive satisfies never;
  }
}

/** A decimal's unscaled value; undefined if it has more digits after the point than `scale`. */
export function parseScaled(text: string, scale: number): bigint | undefined {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const kept = fraction.replace(/0+$/, '');
  if (kept.length > scale) return undefined;
  const unscaled = BigInt(whole + kept.padEnd(scale, '0'));
  return text.startsWith('-') ? -unscaled : unscaled;
}

/** How many digits a decimal text has after its point, without zeros at the end. */
export function scaleOf(text: string): number {
  return (text.split('.')[1] ?? '').replace(/0+$/, '').length;
}

const bufferOf = (value: Value) => {
  const bytes = value as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};

function wrong(literal: Literal, type: string): never {
  throw new Error(`the selection holds a literal that is no ${type}: ${typeof literal}`);
}
