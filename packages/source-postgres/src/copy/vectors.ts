import type { FixedColumn, ListColumn } from '@fjord/core/arrow';
import type { FieldRun } from './fields.ts';

/** Number of elements and an unused field, 16 bits each (pgvector, vector_send and halfvec_send). */
const HEADER_BYTES = 4;

type Elements = { count: number; first: number };

/** pgvector's vectors: after the header floats of 32 bits, none null. */
export function decodeVectors(run: FieldRun, column: ListColumn): void {
  const { view } = run.fields;
  decodeLists(run, column, (at, { count, first }) => {
    const { words } = column.child as FixedColumn;
    for (let k = 0; k < count; k++) words[first + k] = view.getInt32(at + 4 * k);
  });
}

/** pgvector's half vectors: after the header floats of 16 bits, which floats of 32 hold exactly. */
export function decodeHalfVectors(run: FieldRun, column: ListColumn): void {
  const { view } = run.fields;
  decodeLists(run, column, (at, { count, first }) => {
    const { floats } = column.child as FixedColumn;
    for (let k = 0; k < count; k++) floats[first + k] = view.getFloat16(at + 2 * k);
  });
}

function decodeLists(
  { fields, field, rows, base }: FieldRun,
  list: ListColumn,
  decode: (at: number, elements: Elements) => void,
): void {
  const { view, offsets, stride } = fields;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    const isNull = view.getInt32(at - 4) < 0;
    const count = isNull ? 0 : view.getInt16(at);
    const first = list.offsets[row]!;
    list.offsets[row + 1] = first + count;
    if (isNull) {
      list.nullCount++;
      continue;
    }
    list.setValid(row);
    list.child.reserve(first + count);
    decode(at + HEADER_BYTES, { count, first });
    for (let element = first; element < first + count; element++) list.child.setValid(element);
  }
  list.child.length = list.offsets[base + rows]!;
}
