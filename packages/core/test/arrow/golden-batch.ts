import { readFileSync } from 'node:fs';
import { BatchBuilder, appendRecord } from '../../src/arrow/index.ts';
import { type Column, type ColumnType, formatColumnType } from '../../src/column-type.ts';

/** A type with values at its boundaries: the JSON form, and the bytes in an Arrow buffer if the type is no nested one. */
export type GoldenType = { type: ColumnType; values: { json: unknown; hex?: string }[] };

export const GOLDEN_TYPES = JSON.parse(
  readFileSync(new URL('golden-values.json', import.meta.url), 'utf8'),
) as GoldenType[];

/** A column for each golden type. */
export const GOLDEN_COLUMNS: Column[] = GOLDEN_TYPES.map(({ type }) => ({
  name: formatColumnType(type),
  type,
  nullable: true,
}));

/** As many rows as the longest list of values has; shorter ones end in nulls. */
export const GOLDEN_ROWS: Record<string, unknown>[] = Array.from(
  { length: Math.max(...GOLDEN_TYPES.map(({ values }) => values.length)) + 1 },
  (_, row) =>
    Object.fromEntries(GOLDEN_TYPES.map(({ type, values }) => [formatColumnType(type), values[row]?.json ?? null])),
);

/** The golden rows as one Arrow IPC stream. */
export function goldenBatch(): Buffer {
  return encode(GOLDEN_COLUMNS, GOLDEN_ROWS);
}

/** Rows as one Arrow IPC stream. */
export function encode(columns: Column[], rows: readonly Record<string, unknown>[]): Buffer {
  const builder = new BatchBuilder(columns, { capacityRows: 8 });
  for (const row of rows) appendRecord(builder, row);
  return Buffer.concat(builder.finish().body);
}
