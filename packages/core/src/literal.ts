import { formatTimestamp, parseDate, parseTime, parseTimestamp } from './arrow/json-text.ts';
import { parsePrimitive } from './column-type.ts';
import type { Literal } from './protocol/shape.ts';

/** Digits that every double keeps; a number written with more may have been rounded before we see it. */
const EXACT_DIGITS = 15;
const LONG_MAX = 2n ** 63n;

/**
 * A value that a person wrote for a column of a primitive type, in that type's JSON form; undefined if it is none. Decimals may have more
 * digits than the type, since they are only compared. Numbers that JavaScript cannot hold exactly must be written as text.
 */
export function toLiteral(type: string, value: unknown): Literal | undefined {
  const primitive = parsePrimitive(type);
  switch (primitive.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'int':
    case 'long':
      return integerLiteral(primitive.kind, value);
    case 'float':
    case 'double':
      return floatLiteral(primitive.kind, value);
    case 'decimal':
      return decimalText(value);
    case 'date':
      return dateLiteral(value);
    case 'time':
      return typeof value === 'string' && parseTime(value) !== undefined ? value : undefined;
    case 'timestamp':
    case 'timestamptz':
      return timestampLiteral(value, primitive.kind === 'timestamptz');
    case 'string':
      // PostgreSQL and others have no text with NUL, and half a surrogate pair is no character.
      return typeof value === 'string' && value.isWellFormed() && !value.includes('\0') ? value : undefined;
    case 'uuid':
      return typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : undefined;
    case 'binary':
    case 'fixed':
      return typeof value === 'string' && BASE64.test(value) ? value : undefined;
    default:
      return primitive satisfies never;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function integerLiteral(kind: 'int' | 'long', value: unknown): Literal | undefined {
  const isText = typeof value === 'string' && /^-?\d{1,19}$/.test(value);
  if (!isText && !(typeof value === 'number' && Number.isSafeInteger(value))) return undefined;
  const exact = BigInt(value);
  if (kind === 'int') return BigInt.asIntN(32, exact) === exact ? Number(exact) : undefined;
  return exact >= -LONG_MAX && exact < LONG_MAX ? exact.toString() : undefined;
}

/** Rounded to the type's width here, once, so that nobody rounds it otherwise later. */
function floatLiteral(kind: 'float' | 'double', value: unknown): Literal | undefined {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value;
  if (typeof value !== 'number') return undefined;
  const rounded = kind === 'float' ? Math.fround(value) : value;
  return Number.isFinite(rounded) ? rounded : undefined;
}

function decimalText(value: unknown): string | undefined {
  if (typeof value === 'number') {
    const text = String(value);
    const digits = text.replaceAll(/[-.]/g, '').replace(/^0+/, '');
    return /^-?\d+(\.\d+)?$/.test(text) && digits.length <= EXACT_DIGITS ? text : undefined;
  }
  return typeof value === 'string' && /^-?\d{1,500}(\.\d{1,500})?$/.test(value) ? value : undefined;
}

/** In UTC where it has a zone, so that the same moment is always the same text. */
function timestampLiteral(value: unknown, zone: boolean): string | undefined {
  if (typeof value !== 'string') return undefined;
  // A day alone is its first moment; with a time zone it is not said where.
  const full = !zone && /^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00:00` : value;
  const micros = parseTimestamp(full, zone);
  if (micros === undefined) return undefined;
  const text = formatTimestamp(micros);
  return isInYears(text) ? `${text}${zone ? 'Z' : ''}` : undefined;
}

function dateLiteral(value: unknown): string | undefined {
  return typeof value === 'string' && parseDate(value) !== undefined && isInYears(value) ? value : undefined;
}

/** Readers and PostgreSQL agree on the years 1 to 9999. */
const isInYears = (text: string) => /^\d{4}-/.test(text) && !text.startsWith('0000');
