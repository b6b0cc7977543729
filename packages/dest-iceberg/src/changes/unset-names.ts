import type { ArrowColumn } from '@fjord/core/arrow';
import type { RunLayout } from './run-layout.ts';
import type { RunRows } from './run-rows.ts';

type Slice = { places: Int32Array; indices: Int32Array; start: number; end: number };

/** Lists, for each row of a history, the names of the columns that its change did not carry; null where it carried all. */
export function fillUnset(
  { rows, layout }: { rows: RunRows; layout: RunLayout },
  { places, indices, start, end }: Slice,
  column: ArrowColumn,
): void {
  if (column.kind !== 'list' || column.child.kind !== 'bytes') throw new Error('names are kept in a list of text');
  const names = layout.columns.map(({ name }) => Buffer.from(name));
  const { child } = column;
  let items = 0;
  for (let winner = start; winner < end; winner++) {
    const [batch, index, at] = [rows.batches[places[winner]!]!, indices[winner]!, winner - start];
    if (batch.hasUnset(index)) {
      column.setValid(at);
      for (let number = 0; number < layout.carried; number++) {
        if (!batch.isUnset(index, number)) continue;
        const [name, from] = [names[number]!, child.offsets[items] ?? 0];
        child.reserve(items + 1);
        child.reserveData(from + name.length);
        child.setValid(items);
        child.data.set(name, from);
        child.offsets[++items] = from + name.length;
      }
    } else column.nullCount += 1;
    column.offsets[at + 1] = items;
  }
}
