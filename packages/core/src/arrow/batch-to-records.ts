import { type Data, RecordBatchReader } from 'apache-arrow';
import { type Column, type ColumnType, parsePrimitive } from '../column-type.ts';
import { formatDate, formatDecimal, formatTime, formatTimestamp } from './json-text.ts';

/** The rows of a BATCH as RECORD data, each value in its type's JSON form. */
export function* batchToRecords(
  body: readonly Uint8Array[],
  columns: readonly Column[],
): Generator<Record<string, unknown>> {
  const bytes = body.length === 1 && body[0] ? body[0] : Buffer.concat(body);
  for (const batch of RecordBatchReader.from(bytes)) {
    const readers = columns.map(({ name, type }, index) => {
      const data: Data | undefined = batch.data.children[index];
      if (!data) throw new Error(`the batch has no column for "${name}"`);
      return { name, read: (row: number) => readValue(data, type, row) };
    });
    for (let row = 0; row < batch.numRows; row++) {
      yield Object.fromEntries(readers.map(({ name, read }) => [name, read(row)]));
    }
  }
}

/** A value in its type's JSON form. */
export function readValue(data: Data, type: ColumnType, row: number): unknown {
  if (data.nullCount > 0 && !data.getValid(row)) return null;
  if (typeof type === 'string') return readPrimitive(data, type, row);
  if (type.type === 'struct') {
    return Object.fromEntries(
      type.fields.map((field, index) => [field.name, readValue(childOf(data, index), field.type, row)]),
    );
  }
  const [from, to] = [data.valueOffsets[row], data.valueOffsets[row + 1]];
  const rows = Array.from({ length: to - from }, (_, index) => from + index);
  const child = childOf(data, 0);
  if (type.type === 'list') return rows.map((item) => readValue(child, type.element, item));
  return rows.map((item) => [
    readValue(childOf(child, 0), type.key, item),
    readValue(childOf(child, 1), type.value, item),
  ]);
}

function readPrimitive(data: Data, name: string, row: number): unknown {
  const type = parsePrimitive(name);
  switch (type.kind) {
    case 'boolean':
      return (data.values[(data.offset + row) >> 3] & (1 << ((data.offset + row) & 7))) !== 0;
    case 'int':
      return data.values[row];
    case 'long':
      return String(data.values[row]);
    case 'float':
    case 'double':
      return Number.isFinite(data.values[row]) ? data.values[row] : String(data.values[row]);
    case 'decimal':
      return formatDecimal(readWords(data.values, row * 4), type.scale);
    case 'date':
      return formatDate(data.values[row]);
    case 'time':
      return formatTime(data.values[row]);
    case 'timestamp':
      return formatTimestamp(data.values[row]);
    case 'timestamptz':
      return `${formatTimestamp(data.values[row])}Z`;
    case 'string':
      return variableBytes(data, row).toString();
    case 'binary':
      return variableBytes(data, row).toString('base64');
    case 'uuid':
      return Buffer.from(data.values.subarray(row * 16, row * 16 + 16))
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    case 'fixed':
      return Buffer.from(data.values.subarray(row * type.length, (row + 1) * type.length)).toString('base64');
    default:
      return type satisfies never;
  }
}

function readWords(words: Uint32Array, start: number): bigint {
  let value = 0n;
  for (let word = 3; word >= 0; word--) value = (value << 32n) | BigInt(words[start + word] ?? 0);
  return BigInt.asIntN(128, value);
}

function variableBytes(data: Data, row: number): Buffer {
  return Buffer.from(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1]));
}

function childOf(data: Data, index: number): Data {
  const child: Data | undefined = data.children[index];
  if (!child) throw new Error(`the Arrow data has no child ${index}`);
  return child;
}
