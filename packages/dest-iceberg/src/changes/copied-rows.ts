import type { Column, SelectedStream } from '@fjord/core';
import { BatchBuilder } from '@fjord/core/arrow';
import type { ParquetBatch } from '../parquet/sink.ts';
import { decodeRows } from '../partition/decode-rows.ts';
import { gatherColumn } from '../partition/gather.ts';
import { metadataColumns, tableColumns } from './metadata-columns.ts';
import { fillCopied } from './run-writer.ts';

/** Rows of the first copy, with the metadata columns that its table has. */
export function withMetadata(
  { rows, body }: ParquetBatch,
  { selected, columns }: { selected: SelectedStream; columns: readonly Column[] },
): ParquetBatch {
  const metadata = metadataColumns(selected);
  if (metadata.length === 0) return { rows, body };
  const builder = new BatchBuilder(tableColumns(selected, columns), { capacityRows: rows });
  const loadedAt = BigInt(Date.now()) * 1000n;
  builder.reserve(rows);
  let start = 0;
  for (const batch of decodeRows(body)) {
    const indices = Int32Array.from({ length: batch.length }, (_, row) => row);
    for (const [index, data] of batch.columns.entries()) {
      const column = builder.columns[index];
      if (column && index < columns.length) gatherColumn({ data, indices, start }, column);
    }
    start += batch.length;
  }
  for (const [index, name] of metadata.entries()) {
    const column = builder.columns[columns.length + index];
    if (column) fillCopied(column, name, { rows, loadedAt });
  }
  builder.rows = rows;
  return builder.finish();
}
