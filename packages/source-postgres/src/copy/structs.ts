import type { StructColumn } from '@fjord/core/arrow';
import type { Decoder } from './decoder.ts';
import type { FieldRun } from './fields.ts';
import type { Rejections } from '@fjord/replication';

type Part = { decode: Decoder; oid: number | undefined };

/** Before each field of a record: the oid of its type and its length (record_send). */
const FIELD_HEADER_BYTES = 8;

/** Decodes composites into structs: a pass that notes where the fields lie, then field by field in the loops of their types. */
export function structDecoder(parts: readonly Part[], rejections: Rejections): Decoder {
  let places = new Int32Array(1024);
  return (run, column) => {
    const struct = column as StructColumn;
    const stride = parts.length;
    if (places.length < run.rows * stride) places = new Int32Array(run.rows * stride * 2);
    findFields(run, struct, { parts, places, rejections });
    const fields = { ...run.fields, offsets: places, stride };
    for (const [field, { decode }] of parts.entries()) {
      const child = struct.children[field]!;
      decode({ fields, field, rows: run.rows, base: run.base }, child);
      child.length = run.base + run.rows;
    }
  };
}

function findFields(
  { fields, field, rows, base }: FieldRun,
  struct: StructColumn,
  { parts, places, rejections }: { parts: readonly Part[]; places: Int32Array; rejections: Rejections },
): void {
  const { view, offsets, stride } = fields;
  const width = parts.length;
  for (let i = 0, o = field, place = 0; i < rows; i++, o += stride) {
    let at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) {
      struct.nullCount++;
      // The fields of a null lie where it does: there they find the length of a null themselves.
      places.fill(at, place, place + width);
      place += width;
      continue;
    }
    struct.setValid(base + i);
    if (view.getInt32(at) !== width) throw rejections.altered();
    at += 4;
    for (const { oid } of parts) {
      if (oid !== undefined && view.getUint32(at) !== oid) throw rejections.altered();
      at += FIELD_HEADER_BYTES;
      places[place++] = at;
      at += Math.max(0, view.getInt32(at - 4));
    }
  }
}
