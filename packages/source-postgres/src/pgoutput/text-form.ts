import type { FieldRun } from '../copy/fields.ts';
import type { Wire } from '../copy/wire.ts';
import { writeBinary } from './text-values.ts';

/** Gives the same fields as the binary format would have them: the same decoders read them. */
export type TextForm = (run: FieldRun) => FieldRun;

/** How values that come as text become those of the binary format; undefined where both are the same bytes. */
export function textForm(wire: Wire): TextForm | undefined {
  if (wire === 'text') return undefined;
  const write = writeBinary(wire);
  let bytes = Buffer.allocUnsafeSlow(4096);
  let view = new DataView(bytes.buffer);
  const reserve = (needed: number): void => {
    if (needed <= bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * bytes.length));
    bytes.copy(grown);
    bytes = grown;
    view = new DataView(bytes.buffer);
  };
  return ({ fields, field, rows, base }) => {
    const offsets = new Int32Array(rows);
    let end = 0;
    for (let row = 0; row < rows; row++) {
      const at = fields.offsets[row * fields.stride + field]!;
      const length = fields.view.getInt32(at - 4);
      const value = length < 0 ? undefined : write(fields.bytes.toString('utf8', at, at + length));
      reserve(end + 4 + (value?.length ?? 0));
      view.setInt32(end, value?.length ?? -1);
      offsets[row] = end + 4;
      if (value) bytes.set(value, end + 4);
      end += 4 + (value?.length ?? 0);
    }
    return { fields: { bytes, view, offsets, stride: 1 }, field: 0, rows, base };
  };
}
