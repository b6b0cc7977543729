import type { ListColumn } from '@fjord/core/arrow';
import type { Rejections } from './copy-column.ts';
import type { FieldRun } from './fields.ts';
import type { Decoder } from './scalar-decoders.ts';

/** Bytes before the dimensions: number of dimensions, flags, element type; and of each dimension: length, lower bound (array_send). */
const HEADER_BYTES = 12;
const DIMENSION_BYTES = 8;

/** Decodes one-dimensional arrays into lists; the lower bound is not kept. Values of more dimensions are no lists and follow the policy. */
export function arrayDecoder(decodeElements: Decoder): Decoder {
  let elements = new Int32Array(1024);
  return (run, column, rejections) => {
    const list = column as ListColumn;
    const first = list.offsets[run.base]!;
    const bytes = (run.fields.bytes.length >> 2) + 1;
    // An element takes at least the four bytes of its length.
    if (elements.length < bytes) elements = new Int32Array(bytes);
    const count = findElements(run, list, { elements, rejections });
    list.child.reserve(first + count);
    const fields = { ...run.fields, offsets: elements, stride: 1 };
    decodeElements({ fields, field: 0, rows: count, base: first }, list.child, rejections);
    list.child.length = first + count;
  };
}

/** Notes where the elements of all rows begin, and each row's end; returns how many there are. */
function findElements(
  { fields, field, rows, base }: FieldRun,
  list: ListColumn,
  { elements, rejections }: { elements: Int32Array; rejections: Rejections },
): number {
  const { view, offsets, stride } = fields;
  const first = list.offsets[base]!;
  let count = 0;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    const dimensions = view.getInt32(at - 4) < 0 ? -1 : view.getInt32(at);
    if (dimensions > 1) rejections.judge('has none');
    if (dimensions < 0 || dimensions > 1) list.nullCount++;
    else list.setValid(row);
    const length = dimensions === 1 ? view.getInt32(at + HEADER_BYTES) : 0;
    for (let k = 0, place = at + HEADER_BYTES + DIMENSION_BYTES; k < length; k++) {
      elements[count++] = place + 4;
      place += 4 + Math.max(0, view.getInt32(place));
    }
    list.offsets[row + 1] = first + count;
  }
  return count;
}
