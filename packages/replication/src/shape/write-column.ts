import {
  type ArrowColumn,
  type BooleanColumn,
  type BytesColumn,
  createColumn,
  type FixedColumn,
} from '@fjord/core/arrow';
import { parsePrimitive } from '@fjord/core';
import type { Read } from './read-column.ts';
import type { Value } from './value.ts';

/** Evaluates all rows of a batch into a new Arrow column of a primitive type. */
export function fillColumn(type: string, rows: number, read: Read): ArrowColumn {
  const column = createColumn(type, rows);
  const write = writerOf(column, type);
  column.length = rows;
  for (let row = 0; row < rows; row++) {
    const value = read(row);
    if (value === null) {
      column.nullCount += 1;
      if (column.kind === 'bytes') column.offsets[row + 1] = column.offsets[row]!;
    } else {
      column.setValid(row);
      write(row, value);
    }
  }
  return column;
}

type Write = (row: number, value: Exclude<Value, null>) => void;

function writerOf(column: ArrowColumn, name: string): Write {
  const type = parsePrimitive(name);
  switch (type.kind) {
    case 'boolean': {
      const { bits } = column as BooleanColumn;
      return (row, value) => {
        if (value === true) bits[row >> 3]! |= 1 << (row & 7);
      };
    }
    case 'int':
    case 'date':
      return writeNumbers((column as FixedColumn).words);
    case 'float':
      return writeNumbers((column as FixedColumn).floats);
    case 'double':
      return writeNumbers((column as FixedColumn).doubles);
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return writeWords((column as FixedColumn).words, 2);
    case 'decimal':
      return writeWords((column as FixedColumn).words, 4);
    case 'string':
      return writeText(column as BytesColumn);
    case 'binary':
      return writeBytes(column as BytesColumn);
    case 'uuid':
    case 'fixed': {
      const { bytes, width } = column as FixedColumn;
      return (row, value) => bytes.set(value as Uint8Array, row * width);
    }
    default:
      return type satisfies never;
  }
}

function writeNumbers(numbers: Int32Array | Float32Array | Float64Array): Write {
  return (row, value) => {
    numbers[row] = value as number;
  };
}

function writeWords(words: Int32Array, count: number): Write {
  return (row, value) => {
    let rest = value as bigint;
    for (let word = 0; word < count; word++) {
      words[row * count + word] = Number(BigInt.asIntN(32, rest));
      rest >>= 32n;
    }
  };
}

/** UTF-8 takes at most three bytes for each unit of JavaScript's text. */
const MAX_BYTES_PER_UNIT = 3;

function writeText(column: BytesColumn): Write {
  const encoder = new TextEncoder();
  return (row, value) => {
    const text = value as string;
    const start = column.offsets[row]!;
    column.reserveData(start + text.length * MAX_BYTES_PER_UNIT);
    column.offsets[row + 1] = start + encoder.encodeInto(text, column.data.subarray(start)).written;
  };
}

function writeBytes(column: BytesColumn): Write {
  return (row, value) => {
    const bytes = value as Uint8Array;
    const start = column.offsets[row]!;
    column.reserveData(start + bytes.length);
    column.data.set(bytes, start);
    column.offsets[row + 1] = start + bytes.length;
  };
}
