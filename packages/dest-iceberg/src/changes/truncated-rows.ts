import type { Column } from '@fjord/core';
import { BatchBuilder } from '@fjord/core/arrow';
import { currentSchema, type NestedField, type ScanFile, type Table } from '@fjord/iceberg';
import type { Data } from 'apache-arrow';
import { isValid } from '../partition/arrow-rows.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { gatherRows } from '../partition/gather.ts';
import { ChangeRows } from './change-rows.ts';
import type { DeletedRows } from './deleted-rows.ts';
import { readColumns } from './live-rows.ts';
import { fillNull, fillText, METADATA } from './metadata-columns.ts';
import type { RunLayout } from './run-layout.ts';

const LOG_COLUMNS: Column[] = [
  { name: '_op', type: 'string', nullable: false },
  { name: '_position', type: 'fixed(16)', nullable: false },
  { name: '_unset', type: 'binary', nullable: true },
  { name: '_committed_at', type: 'timestamptz', nullable: true },
];

/** The row of a history that says that the table was truncated: `_fjord_op` is `t`, and no column has a value. */
export function truncateMark({ columns }: RunLayout, position: string): ChangeRows {
  const log = logColumns(1, { op: 't', position });
  const rows = { length: 1, columns: [...columns.map(() => undefined), ...log] as Data[] };
  return new ChangeRows(rows, columns.length);
}

/** A delete, at the place of a TRUNCATE, for each row of files that lives and is not marked as deleted. */
export async function* deletesOfAll(
  { table, deleted, layout }: { table: Table; deleted: DeletedRows; layout: RunLayout },
  files: readonly ScanFile[],
  position: string,
): AsyncGenerator<ChangeRows> {
  const mark = currentSchema(table.metadata).fields.find(({ name }) => name === METADATA.deletedAt.name);
  const numbers = layout.key.filter((number) => number >= 0);
  const fields = numbers.map((number) => layout.fields[number]!);
  const columns = numbers.map((number) => layout.columns[number]!);
  for (const scanFile of files) {
    const dead = await deleted.of(table, scanFile);
    for await (const { startRow, rows } of readColumns(table, scanFile.file, { fields: withMark(fields, mark) })) {
      const marks = mark && rows.columns[fields.length];
      const indices: number[] = [];
      for (let row = 0; row < rows.length; row++) {
        if (!dead.has(startRow + row) && !(marks && isValid(marks, row))) indices.push(row);
      }
      if (indices.length === 0) continue;
      const own = { length: rows.length, columns: rows.columns.slice(0, fields.length) };
      const [keys] = decodeRows(gatherRows(columns, [{ rows: own, indices: Int32Array.from(indices) }]).body);
      const log = logColumns(indices.length, { op: 'd', position });
      const spread = layout.columns.map((_, number) => keys?.columns[numbers.indexOf(number)]);
      yield new ChangeRows({ length: indices.length, columns: [...spread, ...log] as Data[] }, layout.columns.length);
    }
  }
}

function withMark(fields: readonly NestedField[], mark: NestedField | undefined): NestedField[] {
  return mark ? [...fields, mark] : [...fields];
}

function logColumns(rows: number, { op, position }: { op: string; position: string }): readonly Data[] {
  const builder = new BatchBuilder(LOG_COLUMNS, { capacityRows: rows });
  builder.reserve(rows);
  const [ops, positions, unset, committedAt] = builder.columns;
  if (!ops || !unset || !committedAt || positions?.kind !== 'fixed') throw new Error('the columns of a log are others');
  fillText(ops, [0, rows], op);
  const key = Buffer.from(position, 'hex');
  for (let row = 0; row < rows; row++) {
    positions.setValid(row);
    positions.bytes.set(key, row * key.length);
  }
  fillNull(unset, [0, rows]);
  fillNull(committedAt, [0, rows]);
  builder.rows = rows;
  const [batch] = decodeRows(builder.finish().body);
  if (!batch) throw new Error('a batch was lost');
  return batch.columns;
}
