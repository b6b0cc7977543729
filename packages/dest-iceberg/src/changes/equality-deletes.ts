import { type DataFile, isPrimitive, parsePrimitive, type Table } from '@fjord/iceberg';
import { ChangeRows } from './change-rows.ts';
import type { Folded } from './fold.ts';
import type { RunLayout } from './run-layout.ts';
import { RunRows } from './run-rows.ts';
import { type OpenedFile, writeRun } from './run-writer.ts';

/** Whether rows can be deleted by their key: without one equal rows are counted, and floats have values that are equal to nothing. */
export function canDeleteByKey({ isKeyless, keyFields }: RunLayout): boolean {
  const isFloat = ({ type }: RunLayout['fields'][number]) =>
    !isPrimitive(type) || ['float', 'double'].includes(parsePrimitive(type).kind);
  return !isKeyless && !keyFields.fields.some(isFloat);
}

/** A run's layout for files that hold nothing but keys. */
export function keyLayout({ fileColumns, key, keyFields }: RunLayout): RunLayout {
  const columns = key.map((number) => fileColumns[number]!);
  const numbers = [...columns.keys()];
  const own = { columns, carried: columns.length, fileColumns: columns, metadata: [], isKeyless: false };
  return { ...own, fields: keyFields.fields, key: numbers, keyFields };
}

/** Writes the obsolete keys of a run into equality delete files, which say it of rows of earlier commits in all partitions. */
export async function writeKeyDeletes(
  table: Table,
  { folded, layout }: { folded: Folded; layout: RunLayout },
  open: (layout: RunLayout) => OpenedFile,
): Promise<DataFile[]> {
  const { rows, keyOf, obsolete } = folded;
  const isWanted = new Uint8Array(rows.length);
  for (const key of obsolete.values) isWanted[key] = 1;
  const winners: number[] = [];
  for (const [row, key] of keyOf.entries()) {
    if (isWanted[key] === 0) continue;
    isWanted[key] = 0;
    winners.push(row);
  }
  if (winners.length === 0) return [];
  const keysOnly = keyLayout(layout);
  const batches = rows.batches.map(({ rows: { length, columns } }) => {
    return new ChangeRows({ length, columns: layout.key.map((number) => columns[number]!) }, layout.key.length);
  });
  const output = { rows: new RunRows(batches), layout: keysOnly, winners: Int32Array.from(winners), loadedAt: 0n };
  const written = await writeRun({ ...output, patches: [], fetched: [] }, open(keysOnly));
  const equalityIds = layout.keyFields.fields.map(({ id }) => id);
  const specId = unpartitionedSpec(table);
  return written.map(({ file }) => ({
    ...file,
    content: 'equality-deletes' as const,
    equalityIds,
    specId,
    partition: new Map<number, null>(),
  }));
}

/** Deletes of a spec without fields apply to all partitions (spec: Scan Planning). */
function unpartitionedSpec({ metadata, location }: Table): number {
  const spec = metadata['partition-specs'].find(({ fields }) => fields.length === 0);
  if (spec) return spec['spec-id'];
  throw new Error(`the table at ${location} has no spec without fields`);
}
