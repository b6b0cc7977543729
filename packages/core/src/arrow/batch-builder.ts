import {
  type Data,
  type DataType,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  type Schema,
  Struct,
} from 'apache-arrow';
import type { Column } from '../column-type.ts';
import { arrowSchema } from './arrow-schema.ts';
import { type ArrowColumn, createColumn } from './columns.ts';

const DEFAULT_CAPACITY = 1024;

/** Gathers the rows of one batch in Arrow buffers. `rows` is counted by whoever fills the columns. */
export class BatchBuilder {
  readonly fields: readonly Column[];
  readonly columns: ArrowColumn[];
  rows = 0;
  readonly #schema: Schema;

  constructor(fields: readonly Column[], { capacityRows = DEFAULT_CAPACITY }: { capacityRows?: number } = {}) {
    this.fields = fields;
    this.columns = fields.map(({ type }) => createColumn(type, capacityRows));
    this.#schema = arrowSchema(fields);
  }

  /** About how many bytes the batch would have now. */
  get byteLength(): number {
    return this.columns.reduce((sum, column) => sum + column.byteLength, 0);
  }

  /** Makes room for rows below `capacity` in every column. */
  reserve(capacity: number): void {
    for (const column of this.columns) column.reserve(capacity);
  }

  /** The rows as one Arrow IPC stream in memory of its own (it may be transferred); then the builder is empty. */
  finish(): { rows: number; body: Uint8Array[] } {
    const { rows } = this;
    const children = this.columns.map((column, index) => {
      column.length = rows;
      return columnData(column, fieldType(this.#schema, index));
    });
    const type = new Struct(this.#schema.fields);
    const data = makeData({ type, length: rows, nullCount: 0, children });
    const writer = new RecordBatchStreamWriter();
    writer.write(new RecordBatch(this.#schema, data));
    writer.finish();
    const body = writer.toUint8Array(true);
    this.clear();
    return { rows, body: [body] };
  }

  clear(): void {
    this.rows = 0;
    for (const column of this.columns) column.clear();
  }
}

function fieldType(schema: Schema, index: number): DataType {
  const field = schema.fields[index];
  if (!field) throw new Error('a column without a field');
  return field.type;
}

/** Arrow's view of a column's filled part; nothing is copied here. */
export function columnData(column: ArrowColumn, type: DataType): Data {
  const { length, nullCount } = column;
  const nullBitmap = nullCount > 0 ? column.validity.subarray(0, (length + 7) >> 3) : undefined;
  const base = { length, nullCount, nullBitmap };
  switch (column.kind) {
    case 'fixed':
      return makeData({ ...base, type, data: fixedValues(column.bytes, length * column.width, type) } as never);
    case 'boolean':
      return makeData({ ...base, type, data: column.bits.subarray(0, (length + 7) >> 3) } as never);
    case 'bytes': {
      const valueOffsets = column.offsets.subarray(0, length + 1);
      return makeData({ ...base, type, valueOffsets, data: column.data.subarray(0, valueOffsets[length]) } as never);
    }
    case 'list': {
      column.child.length = column.offsets[length] ?? 0;
      const child = columnData(column.child, childType(type, 0));
      return makeData({ ...base, type, valueOffsets: column.offsets.subarray(0, length + 1), child } as never);
    }
    case 'map': {
      column.entries.length = column.offsets[length] ?? 0;
      const child = columnData(column.entries, childType(type, 0));
      return makeData({ ...base, type, valueOffsets: column.offsets.subarray(0, length + 1), child } as never);
    }
    case 'struct': {
      const children = column.children.map((child, index) => {
        child.length = length;
        return columnData(child, childType(type, index));
      });
      return makeData({ ...base, type, children } as never);
    }
    default:
      return column satisfies never;
  }
}

function childType(type: DataType, index: number): DataType {
  const child: { type: DataType } | undefined = type.children?.[index];
  if (!child) throw new Error(`an Arrow type has no child ${index}`);
  return child.type;
}

function fixedValues(bytes: Uint8Array, length: number, type: DataType): ArrayBufferView {
  const View = type.ArrayType as new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => ArrayBufferView & {
    BYTES_PER_ELEMENT: number;
  };
  const size = (View as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  return new View(bytes.buffer, 0, length / size);
}
