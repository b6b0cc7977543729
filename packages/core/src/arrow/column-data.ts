import { type Data, type DataType, makeData } from 'apache-arrow';
import type { ArrowColumn } from './columns.ts';

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
