import type { Column } from '../column-type.ts';
import { arrowField } from './arrow-field.ts';
import type { ArrowColumn } from './columns.ts';
import { schemaMessage } from './schema-message.ts';

/** Sizes and places in the message of a record batch, whose flatbuffer is the same for all batches of a schema but for its numbers. */
const STRUCT_BYTES = 16;
const BODY_LENGTH_AT = 32;
const ROWS_AT = 64;
const NODES_AT = 88;
/** Behind the nodes come padding and the number of buffers. */
const VECTOR_BYTES = 8;
const END_OF_STREAM_BYTES = 8;
const CONTINUATION = 0xff_ff_ff_ff;
const TWO_32 = 4_294_967_296;

const padded = (bytes: number) => (bytes + 7) & ~7;

/** What a column adds to a batch: a node (rows and nulls) for itself and each column within it, and their buffers, depth first. */
type BatchParts = { nodes: number[]; buffers: Uint8Array[] };

/**
 * Frames batches of the same columns as Arrow IPC streams: schema, one record batch, end (Arrow columnar format, IPC Streaming Format).
 * Its messages are made once and only their numbers are written for each batch: a batch leaves hardly any garbage.
 */
export class BatchFrame {
  readonly #schema: Uint8Array;
  #template: Uint8Array = new Uint8Array();
  #nodeCount = -1;
  #bufferCount = -1;

  constructor(columns: readonly Pick<Column, 'name' | 'type' | 'nullable'>[]) {
    this.#schema = schemaMessage(columns.map(arrowField));
  }

  /** The rows of the columns as one stream, in memory that `allocate` gives; nothing of the columns is kept. */
  encode(
    columns: readonly ArrowColumn[],
    rows: number,
    allocate: (bytes: number) => Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer> {
    const parts: BatchParts = { nodes: [], buffers: [] };
    for (const column of columns) addColumn(column, rows, parts);
    const template = this.#templateFor(parts);
    const bodyLength = parts.buffers.reduce((sum, { byteLength }) => sum + padded(byteLength), 0);
    const batchAt = this.#schema.length;
    const bodyAt = batchAt + template.length;
    const stream = allocate(bodyAt + bodyLength + END_OF_STREAM_BYTES);
    stream.set(this.#schema);
    stream.set(template, batchAt);
    const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
    setLong(view, batchAt + BODY_LENGTH_AT, bodyLength);
    setLong(view, batchAt + ROWS_AT, rows);
    const buffersAt = batchAt + NODES_AT + parts.nodes.length * (STRUCT_BYTES / 2) + VECTOR_BYTES;
    for (const [index, count] of parts.nodes.entries()) setLong(view, batchAt + NODES_AT + 8 * index, count);
    writeBody(stream, view, { buffers: parts.buffers, buffersAt, bodyAt });
    view.setUint32(bodyAt + bodyLength, CONTINUATION);
    view.setUint32(bodyAt + bodyLength + 4, 0);
    return stream;
  }

  #templateFor({ nodes, buffers }: BatchParts): Uint8Array {
    const nodeCount = nodes.length / 2;
    if (nodeCount !== this.#nodeCount || buffers.length !== this.#bufferCount) {
      this.#template = recordBatchTemplate(nodeCount, buffers.length);
      this.#nodeCount = nodeCount;
      this.#bufferCount = buffers.length;
    }
    return this.#template;
  }
}

/** Copies the buffers behind each other, each padded with zeros, and notes where they lie. */
function writeBody(
  stream: Uint8Array,
  view: DataView,
  { buffers, buffersAt, bodyAt }: { buffers: readonly Uint8Array[]; buffersAt: number; bodyAt: number },
): void {
  let offset = 0;
  for (const [index, buffer] of buffers.entries()) {
    const { byteLength } = buffer;
    setLong(view, buffersAt + STRUCT_BYTES * index, offset);
    setLong(view, buffersAt + STRUCT_BYTES * index + 8, byteLength);
    stream.set(buffer, bodyAt + offset);
    // The memory may hold an older batch.
    stream.fill(0, bodyAt + offset + byteLength, bodyAt + offset + padded(byteLength));
    offset += padded(byteLength);
  }
}

function addColumn(column: ArrowColumn, length: number, parts: BatchParts): void {
  const { nullCount } = column;
  parts.nodes.push(length, nullCount);
  parts.buffers.push(nullCount > 0 ? bits(column.validity, length) : NO_BYTES);
  switch (column.kind) {
    case 'fixed':
      parts.buffers.push(column.bytes.subarray(0, length * column.width));
      return;
    case 'boolean':
      parts.buffers.push(bits(column.bits, length));
      return;
    case 'bytes':
      parts.buffers.push(offsets(column.offsets, length), column.data.subarray(0, column.offsets[length]));
      return;
    case 'list':
    case 'map': {
      parts.buffers.push(offsets(column.offsets, length));
      addColumn(column.kind === 'list' ? column.child : column.entries, column.offsets[length] ?? 0, parts);
      return;
    }
    case 'struct':
      for (const child of column.children) addColumn(child, length, parts);
      return;
    default:
      column satisfies never;
  }
}

const NO_BYTES = new Uint8Array();
const bits = (bitmap: Uint8Array, length: number) => bitmap.subarray(0, (length + 7) >> 3);
const offsets = ({ buffer, byteOffset }: Int32Array, length: number) =>
  new Uint8Array(buffer, byteOffset, 4 * (length + 1));

/**
 * The message of a record batch with zeros for its numbers: prefix, Message with its vtable, RecordBatch with its own, the vectors of nodes
 * and of buffers (Message.fbs). All longs lie at multiples of eight.
 */
function recordBatchTemplate(nodes: number, buffers: number): Uint8Array {
  const nodesEnd = NODES_AT + STRUCT_BYTES * nodes;
  const message = new Uint8Array(nodesEnd + VECTOR_BYTES + STRUCT_BYTES * buffers);
  const view = new DataView(message.buffer);
  const short = (at: number, ...values: number[]) => {
    for (const [index, value] of values.entries()) view.setUint16(at + 2 * index, value, true);
  };
  view.setUint32(0, CONTINUATION);
  view.setUint32(4, message.length - 8, true);
  // Root: the Message at 24. Its vtable at 12: four fields in a table of 24 bytes.
  view.setUint32(8, 24 - 8, true);
  short(12, 12, 24, 16, 18, 4, 8);
  view.setInt32(24, 24 - 12, true);
  view.setUint32(28, 60 - 28, true);
  short(40, 4);
  view.setUint8(42, 3);
  // The RecordBatch at 60, its vtable at 48: three fields in a table of 20 bytes.
  short(48, 10, 20, 4, 12, 16);
  view.setInt32(60, 60 - 48, true);
  view.setUint32(72, 84 - 72, true);
  view.setUint32(76, nodesEnd + 4 - 76, true);
  view.setUint32(84, nodes, true);
  view.setUint32(nodesEnd + 4, buffers, true);
  return message;
}

/** A count as a 64-bit integer. */
function setLong(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}
