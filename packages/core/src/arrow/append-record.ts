import { type ColumnType, formatColumnType, parsePrimitive } from '../column-type.ts';
import { ConnectorError } from '../errors.ts';
import type { BatchBuilder } from './batch-builder.ts';
import type { ArrowColumn, BytesColumn, FixedColumn } from './columns.ts';
import { parseDate, parseDecimal, parseTime, parseTimestamp } from './json-text.ts';

/** A value that does not have the JSON form of its type; turned into an error that names the column. */
class WrongForm extends Error {}

/** Appends a RECORD's data as the builder's next row. `protocol_violation` names the column whose value has not its type's JSON form. */
export function appendRecord(builder: BatchBuilder, data: Record<string, unknown>): void {
  const row = builder.rows;
  builder.reserve(row + 1);
  for (const [index, { name, type, nullable }] of builder.fields.entries()) {
    const column = builder.columns[index];
    if (!column) throw new Error('a field without a column');
    const value = ownValue(data, name);
    if (value === null && !nullable) throw refused(name, 'a value, since it is not nullable');
    try {
      appendValue(column, type, row, value);
    } catch (error) {
      if (error instanceof WrongForm) throw refused(name, `a value of type ${formatColumnType(type)} in its JSON form`);
      throw error;
    }
  }
  builder.rows = row + 1;
}

const refused = (column: string, wanted: string) =>
  new ConnectorError('protocol_violation', `Column "${column}" of a RECORD needs ${wanted}.`);

/** A name like "constructor" must not find what every object inherits. */
function ownValue(data: object, name: string): unknown {
  return Object.hasOwn(data, name) ? ((data as Record<string, unknown>)[name] ?? null) : null;
}

function appendValue(column: ArrowColumn, type: ColumnType, row: number, value: unknown): void {
  column.reserve(row + 1);
  column.length = row + 1;
  if (value === null) return appendNull(column, row);
  column.setValid(row);
  switch (column.kind) {
    case 'fixed':
      return setFixed(column, type, row, value);
    case 'boolean':
      if (typeof value !== 'boolean') throw new WrongForm();
      if (value) column.bits[row >> 3]! |= 1 << (row & 7);
      return;
    case 'bytes':
      return setBytes(column, row, type === 'string' ? textBytes(value) : base64Bytes(value));
    case 'list': {
      if (!Array.isArray(value) || typeof type === 'string' || type.type !== 'list') throw new WrongForm();
      const start = column.offsets[row] ?? 0;
      for (const [index, item] of value.entries()) {
        if (type.elementRequired && item === null) throw new WrongForm();
        appendValue(column.child, type.element, start + index, item);
      }
      column.offsets[row + 1] = start + value.length;
      return;
    }
    case 'map': {
      if (!Array.isArray(value) || typeof type === 'string' || type.type !== 'map') throw new WrongForm();
      const start = column.offsets[row] ?? 0;
      const [keys, values] = column.entries.children;
      if (!keys || !values) throw new Error('a map without key and value');
      for (const [index, entry] of value.entries()) {
        if (!Array.isArray(entry) || entry.length !== 2 || entry[0] === null) throw new WrongForm();
        if (type.valueRequired && entry[1] === null) throw new WrongForm();
        column.entries.reserve(start + index + 1);
        column.entries.length = start + index + 1;
        column.entries.setValid(start + index);
        appendValue(keys, type.key, start + index, entry[0]);
        appendValue(values, type.value, start + index, entry[1]);
      }
      column.offsets[row + 1] = start + value.length;
      return;
    }
    case 'struct': {
      if (typeof value !== 'object' || Array.isArray(value)) throw new WrongForm();
      if (typeof type === 'string' || type.type !== 'struct') throw new WrongForm();
      for (const [index, field] of type.fields.entries()) {
        const child = column.children[index];
        const item = ownValue(value, field.name);
        if (field.required && item === null) throw new WrongForm();
        if (child) appendValue(child, field.type, row, item);
      }
      return;
    }
    default:
      return column satisfies never;
  }
}

function appendNull(column: ArrowColumn, row: number): void {
  column.nullCount += 1;
  if (column.kind === 'bytes' || column.kind === 'list' || column.kind === 'map') {
    column.offsets[row + 1] = column.offsets[row] ?? 0;
  }
  if (column.kind === 'struct') {
    for (const child of column.children) {
      child.reserve(row + 1);
      child.length = row + 1;
      appendNull(child, row);
    }
  }
}

function setBytes(column: BytesColumn, row: number, bytes: Uint8Array): void {
  const start = column.offsets[row] ?? 0;
  column.reserveData(start + bytes.length);
  column.data.set(bytes, start);
  column.offsets[row + 1] = start + bytes.length;
}

function setFixed(column: FixedColumn, type: ColumnType, row: number, value: unknown): void {
  if (typeof type !== 'string') throw new WrongForm();
  const primitive = parsePrimitive(type);
  switch (primitive.kind) {
    case 'int':
      column.words[row] = Number(integer(value, 32));
      return;
    case 'long':
      return setWords(column, row, integer(value, 64));
    case 'float':
      column.floats[row] = float(value, Math.fround);
      return;
    case 'double':
      column.doubles[row] = float(value, Number);
      return;
    case 'date':
      column.words[row] = known(parseDate(text(value)));
      return;
    case 'time':
      return setWords(column, row, known(parseTime(text(value))));
    case 'timestamp':
      return setWords(column, row, known(parseTimestamp(text(value), false)));
    case 'timestamptz':
      return setWords(column, row, known(parseTimestamp(text(value), true)));
    case 'decimal':
      return setWords(column, row, known(parseDecimal(text(value), primitive.precision, primitive.scale)));
    case 'uuid':
      return setFixedBytes(column, row, uuidBytes(value));
    case 'fixed':
      return setFixedBytes(column, row, base64Bytes(value));
    case 'boolean':
    case 'string':
    case 'binary':
      throw new Error(`${type} has no fixed width`);
    default:
      return primitive satisfies never;
  }
}

/** Sets a value of 8 or 16 bytes, two's complement, little-endian. */
function setWords(column: FixedColumn, row: number, value: bigint): void {
  const words = column.width >> 2;
  for (let word = 0; word < words; word++) {
    column.words[row * words + word] = Number(BigInt.asIntN(32, value >> BigInt(32 * word)));
  }
}

function setFixedBytes(column: FixedColumn, row: number, bytes: Uint8Array): void {
  if (bytes.length !== column.width) throw new WrongForm();
  column.bytes.set(bytes, row * column.width);
}

function integer(value: unknown, bits: 32 | 64): bigint {
  const isText = typeof value === 'string' && /^-?\d{1,20}$/.test(value);
  if (!isText && !(typeof value === 'number' && Number.isSafeInteger(value))) throw new WrongForm();
  const exact = BigInt(value);
  if (BigInt.asIntN(bits, exact) !== exact) throw new WrongForm();
  return exact;
}

/** Rounds to the type's width; a number that is beyond it must not become infinite. */
function float(value: unknown, round: (value: number) => number): number {
  if (typeof value === 'number' && Number.isFinite(round(value))) return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw new WrongForm();
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new WrongForm();
  return value;
}

function textBytes(value: unknown): Uint8Array {
  // Half a surrogate pair has no UTF-8 form: it would be replaced without a word.
  if (!text(value).isWellFormed()) throw new WrongForm();
  return Buffer.from(text(value));
}

function base64Bytes(value: unknown): Uint8Array {
  const bytes = Buffer.from(text(value), 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== text(value).replace(/=+$/, '')) throw new WrongForm();
  return bytes;
}

function uuidBytes(value: unknown): Uint8Array {
  const match = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.exec(text(value));
  if (!match) throw new WrongForm();
  return Buffer.from(match[0].replaceAll('-', ''), 'hex');
}

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new WrongForm();
  return value;
}
