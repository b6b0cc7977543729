import type { BytesColumn, MapColumn } from '@fjord/core/arrow';
import type { FieldRun } from './fields.ts';
import { decodeTexts } from './scalar-decoders.ts';

/** hstore_send's form: the number of pairs, then of each the key and the value, each after its length. A value may be null. */
export function decodeHstores({ fields, field, rows, base }: FieldRun, column: MapColumn): void {
  const { view, offsets, stride } = fields;
  const places: number[] = [];
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    const isNull = view.getInt32(at - 4) < 0;
    const pairs = isNull ? 0 : view.getInt32(at);
    if (isNull) column.nullCount++;
    else column.setValid(row);
    for (let k = 0, place = at + 8; k < 2 * pairs; k++) {
      places.push(place);
      place += 4 + Math.max(0, view.getInt32(place - 4));
    }
    column.offsets[row + 1] = column.offsets[row]! + pairs;
  }
  const first = column.offsets[base]!;
  const count = places.length / 2;
  const { entries } = column;
  entries.reserve(first + count);
  const found = { ...fields, offsets: Int32Array.from(places), stride: 2 };
  for (const [part, child] of entries.children.entries()) {
    decodeTexts({ fields: found, field: part, rows: count, base: first }, child as BytesColumn);
    child.length = first + count;
  }
  for (let entry = first; entry < first + count; entry++) entries.setValid(entry);
  entries.length = first + count;
}
