import { ParquetError } from '../errors.ts';
import { type ArrowColumn, wordsOf } from './arrow-column.ts';
import type { ArrowField, ArrowType } from './arrow-type.ts';
import { type FlatTable, readLong } from './flatbuffer.ts';

const RECORD_BATCH = { NODES: 1, BUFFERS: 2, COMPRESSION: 3 };
/** Sizes of the structs FieldNode and Buffer: two longs each. */
const STRUCT_BYTES = 16;
/** Rows are counted in 32 bits here. */
const MAX_ROWS = 2 ** 31 - 8;
/** Columns of nulls and lists of no length have no bytes: so many rows a batch may have whatever its size. More than that, a damaged count would keep a thread busy for long. */
const MAX_ROWS_WITHOUT_BYTES = 2 ** 24;
const NO_OFFSETS = new Int32Array(1);
const NO_BYTES = new Uint8Array();

/** The columns of a RecordBatch message (Message.fbs), checked: every buffer lies in the body and is long enough, offsets ascend within their target. */
export function readColumns(fields: readonly ArrowField[], batch: FlatTable, body: Uint8Array): ArrowColumn[] {
  if (batch.table(RECORD_BATCH.COMPRESSION)) {
    throw new ParquetError('unsupported', 'The Arrow stream is compressed; write it without compression.');
  }
  const input = new BatchInput(batch, body);
  const columns = fields.map((field) => readColumn(field, input));
  input.requireEnd();
  return columns;
}

function readColumn(field: ArrowField, input: BatchInput): ArrowColumn {
  const { length, nullCount } = input.nextNode(field);
  const type: ArrowType = field.dictionary?.index ?? field.type;
  if (type.kind === 'null') return { field, length, validity: new Uint8Array((length + 7) >>> 3), ...NO_BUFFERS };
  const bitmap = input.nextBuffer(field, 0);
  if (nullCount > 0) requireBytes(field, bitmap, (length + 7) >>> 3);
  const base = { field, length, validity: nullCount > 0 ? bitmap : undefined };
  switch (type.kind) {
    case 'struct': {
      const children = field.children.map((child) => readColumn(child, input));
      for (const child of children) requireRows(field, child, length);
      return { ...base, ...NO_BUFFERS, children };
    }
    case 'list':
    case 'map': {
      const offsets = readOffsets(field, input.nextBuffer(field, 0), { length, isLarge: type.isLarge });
      const child = readColumn(childOf(field), input);
      requireRows(field, child, checkOffsets(field, offsets));
      return { ...base, offsets, values: NO_BYTES, children: [child] };
    }
    case 'fixed-list': {
      const child = readColumn(childOf(field), input);
      requireRows(field, child, length * type.length);
      const offsets = Int32Array.from({ length: length + 1 }, (_, row) => row * type.length);
      return { ...base, offsets, values: NO_BYTES, children: [child] };
    }
    case 'utf8':
    case 'binary': {
      const offsets = readOffsets(field, input.nextBuffer(field, 0), { length, isLarge: type.isLarge });
      const values = input.nextBuffer(field, checkOffsets(field, offsets));
      return { ...base, offsets, values, children: [] };
    }
    case 'boolean':
    case 'int':
    case 'float':
    case 'decimal':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'duration':
    case 'fixed': {
      const values = input.nextBuffer(field, type.kind === 'boolean' ? (length + 7) >>> 3 : length * byteWidth(type));
      return { ...base, offsets: NO_OFFSETS, values, children: [] };
    }
    default:
      return type satisfies never;
  }
}

const NO_BUFFERS = { offsets: NO_OFFSETS, values: NO_BYTES, children: [] };

/** Bytes of one value of a type with a fixed width. */
export function byteWidth(type: ArrowType): number {
  switch (type.kind) {
    case 'int':
    case 'float':
    case 'decimal':
    case 'time':
      return type.bitWidth >> 3;
    case 'date':
      return type.unit === 'day' ? 4 : 8;
    case 'timestamp':
    case 'duration':
      return 8;
    case 'fixed':
      return type.byteWidth;
    case 'null':
    case 'boolean':
    case 'utf8':
    case 'binary':
    case 'list':
    case 'map':
    case 'fixed-list':
    case 'struct':
      throw new Error(`Arrow values of type ${type.kind} have no fixed width`);
    default:
      return type satisfies never;
  }
}

function childOf(field: ArrowField): ArrowField {
  const [child] = field.children;
  if (child) return child;
  throw new ParquetError('invalid_arrow', `Column "${field.name}" of the Arrow schema lacks its child.`);
}

/** 64-bit offsets are narrowed: what they point into is one buffer of JavaScript, which is handled up to 2 GB. */
function readOffsets(
  field: ArrowField,
  bytes: Uint8Array,
  { length, isLarge }: { length: number; isLarge: boolean },
): Int32Array {
  // An empty column may come without the one offset that it should have.
  if (length === 0 && bytes.length === 0) return NO_OFFSETS;
  requireBytes(field, bytes, (length + 1) * (isLarge ? 8 : 4));
  const words = wordsOf(bytes);
  if (!isLarge) return words.subarray(0, length + 1);
  const offsets = new Int32Array(length + 1);
  for (let row = 0; row <= length; row++) {
    if (words[2 * row + 1] !== 0)
      throw new ParquetError('unsupported', `Column "${field.name}" has a batch of more than 2 GB.`);
    offsets[row] = words[2 * row]!;
  }
  return offsets;
}

/** The last offset, once it is sure that all ascend from at least 0. */
function checkOffsets(field: ArrowField, offsets: Int32Array): number {
  let last = 0;
  let descents = 0;
  for (let row = 0; row < offsets.length; row++) {
    const offset = offsets[row]!;
    // The difference alone wraps around if the next offset is far below zero.
    descents |= (offset - last) | offset;
    last = offset;
  }
  if (descents < 0) {
    throw new ParquetError('invalid_arrow', `Column "${field.name}" of an Arrow batch has offsets that do not ascend.`);
  }
  return last;
}

function requireRows(field: ArrowField, child: ArrowColumn, rows: number): void {
  if (child.length >= rows) return;
  throw new ParquetError('invalid_arrow', `Column "${field.name}" of an Arrow batch has a child that is too short.`);
}

function requireBytes(field: ArrowField, buffer: Uint8Array, bytes: number): void {
  if (buffer.length >= bytes) return;
  throw new ParquetError('invalid_arrow', `Column "${field.name}" of an Arrow batch has a buffer that is too short.`);
}

/** The nodes and buffers of a batch, in the depth-first order of its fields. */
class BatchInput {
  readonly #view: DataView;
  readonly #body: Uint8Array;
  readonly #nodes: { next: number; end: number };
  readonly #buffers: { next: number; end: number };

  constructor(batch: FlatTable, body: Uint8Array) {
    const [nodes, buffers] = [batch.vector(RECORD_BATCH.NODES), batch.vector(RECORD_BATCH.BUFFERS)];
    this.#view = batch.view;
    this.#body = body;
    this.#nodes = { next: nodes?.start ?? 0, end: (nodes?.start ?? 0) + (nodes?.length ?? 0) * STRUCT_BYTES };
    this.#buffers = { next: buffers?.start ?? 0, end: (buffers?.start ?? 0) + (buffers?.length ?? 0) * STRUCT_BYTES };
  }

  nextNode(field: ArrowField): { length: number; nullCount: number } {
    const [length, nullCount] = this.#next(this.#nodes);
    if (nullCount > length)
      throw new ParquetError('invalid_arrow', `Column "${field.name}" of an Arrow batch has more nulls than rows.`);
    // What has bytes takes at least a bit a row.
    if (length <= MAX_ROWS && length <= Math.max(MAX_ROWS_WITHOUT_BYTES, 8 * this.#body.length))
      return { length, nullCount };
    throw new ParquetError(
      'invalid_arrow',
      `Column "${field.name}" of an Arrow batch claims ${length} rows, which it cannot hold.`,
    );
  }

  /** A batch of more columns than its schema has would be read under wrong names. */
  requireEnd(): void {
    if (this.#nodes.next < this.#nodes.end)
      throw new ParquetError('invalid_arrow', 'An Arrow batch has more columns than its schema.');
  }

  /** The next buffer, which must hold at least so many bytes. */
  nextBuffer(field: ArrowField, bytes: number): Uint8Array {
    const [offset, length] = this.#next(this.#buffers);
    if (offset + length > this.#body.length) {
      throw new ParquetError('invalid_arrow', `Column "${field.name}" of an Arrow batch has a buffer outside of it.`);
    }
    const buffer = this.#body.subarray(offset, offset + length);
    requireBytes(field, buffer, bytes);
    return buffer;
  }

  #next(vector: { next: number; end: number }): [number, number] {
    if (vector.next >= vector.end)
      throw new ParquetError('invalid_arrow', 'An Arrow batch has too few buffers for its schema.');
    const at = vector.next;
    vector.next += STRUCT_BYTES;
    return [readLong(this.#view, at), readLong(this.#view, at + 8)];
  }
}
