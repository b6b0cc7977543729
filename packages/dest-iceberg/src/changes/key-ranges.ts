import { isPrimitive } from '@fjord/iceberg';
import type { Data } from 'apache-arrow';
import type { Folded } from './fold.ts';
import { KeyRange } from './key-range.ts';
import type { RunLayout } from './run-layout.ts';
import type { WantedKeys } from './row-finder.ts';
import type { SortedKeys } from './sorted-keys.ts';

/** Keys of a run as they are looked for. */
export function wantedKeys({ rows, keyOf }: Folded, layout: RunLayout, keys: SortedKeys): WantedKeys {
  const [column, field] = [layout.key[0], layout.keyFields.fields[0]];
  const wanted = { keys, range: undefined, keyFields: layout.keyFields };
  if (column === undefined || !field || !isPrimitive(field.type) || layout.isKeyless) return wanted;
  const isWanted = new Uint8Array(rows.length);
  for (const key of keys.values) isWanted[key] = 1;
  const selections: { data: Data; indices: number[] }[] = [];
  for (const [batch, { rows: own, length }] of rows.batches.entries()) {
    const data = own.columns[column];
    if (!data) return wanted;
    const indices: number[] = [];
    for (let index = 0; index < length; index++) {
      const key = keyOf[rows.starts[batch]! + index]!;
      if (isWanted[key] !== 1) continue;
      isWanted[key] = 2;
      indices.push(index);
    }
    selections.push({ data, indices });
  }
  return { ...wanted, range: KeyRange.of({ id: field.id, type: field.type }, selections) };
}
