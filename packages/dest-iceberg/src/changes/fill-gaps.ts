import type { DataFile, Table } from '@fjord/iceberg';
import type { ArrowRows } from '../partition/arrow-rows.ts';
import { OP } from './change-rows.ts';
import type { Folded } from './fold.ts';
import { readRowsAt } from './live-rows.ts';
import type { RunLayout } from './run-layout.ts';
import { NULL_SOURCE, OWN, type Patch } from './run-writer.ts';
import type { Gap } from './unset.ts';

/** Where a live row is. */
export type Place = { file: DataFile; position: number };

/** A run with its gaps filled. */
export type Filled = { winners: Int32Array; patches: (Patch | undefined)[]; fetched: ArrowRows[] };

type Filling = {
  folded: Folded;
  layout: RunLayout;
  table: Table;
  gaps: readonly Gap[];
  /** The live rows of the keys that gaps name. */
  places: ReadonlyMap<number, Place>;
  /** The error for a value that is nowhere. */
  missing(column: string): Error;
};

/**
 * Takes the values that winners lack from where they are. A deleted row that is to be marked and was never there is left out; any other value
 * that is nowhere is an error, unless its column is newer than the change: it is never made null.
 */
export async function fillGaps(filling: Filling): Promise<Filled> {
  const { folded, layout, gaps } = filling;
  const patches: (Patch | undefined)[] = layout.columns.map(() => undefined);
  const live = await fetchLive(filling);
  const dropped = new Set<number>();
  for (const gap of gaps) {
    const patch = (patches[gap.column] ??= emptyPatch(folded.winners.length));
    const { winner, origin } = gap;
    const found = origin.type === 'live' ? live.find(origin.key) : undefined;
    if (origin.type === 'row') {
      const batch = folded.rows.batchOf(origin.row);
      patch.sources[winner] = batch;
      patch.rows[winner] = origin.row - folded.rows.starts[batch]!;
    } else if (found) {
      patch.sources[winner] = folded.rows.batches.length + found.source;
      patch.rows[winner] = found.row;
    } else if (isDelete(folded, winner)) dropped.add(winner);
    else if (gap.isAdded) patch.sources[winner] = NULL_SOURCE;
    else throw filling.missing(layout.columns[gap.column]!.name);
  }
  if (dropped.size === 0) return { winners: folded.winners, patches, fetched: live.fetched };
  const keep = <Values extends Int32Array>(values: Values) => values.filter((_, winner) => !dropped.has(winner));
  const kept = patches.map((patch) => patch && { sources: keep(patch.sources), rows: keep(patch.rows) });
  return { winners: keep(folded.winners), patches: kept, fetched: live.fetched };
}

type Live = { fetched: ArrowRows[]; find(key: number): { source: number; row: number } | undefined };

/** Reads the columns that any gap needs of all live rows that gaps need, file by file. */
async function fetchLive({ layout, table, gaps, places }: Filling): Promise<Live> {
  const wanted = gaps.filter(({ origin }) => origin.type === 'live');
  const numbers = [...new Set(wanted.map(({ column }) => column))].toSorted((a, b) => a - b);
  const keys = [...new Set(wanted.flatMap(({ origin }) => (origin.type === 'live' ? origin.key : [])))];
  const byFile = Map.groupBy(keys, (key) => places.get(key)?.file);
  const found = new Map<number, { source: number; row: number }>();
  const fetched: ArrowRows[] = [];
  for (const [file, own] of byFile) {
    if (!file) continue;
    const sorted = own.toSorted((a, b) => places.get(a)!.position - places.get(b)!.position);
    const positions = Int32Array.from(sorted, (key) => places.get(key)!.position);
    const columns = numbers.map((number) => ({ ...layout.columns[number]!, nullable: true }));
    const fields = numbers.map((number) => layout.fields[number]!);
    const rows = await readRowsAt(table, { file, positions }, { columns, fields });
    for (const [row, key] of sorted.entries()) found.set(key, { source: fetched.length, row });
    const spread = layout.columns.map((_, number) => rows.columns[numbers.indexOf(number)]);
    fetched.push({ length: rows.length, columns: spread as ArrowRows['columns'] });
  }
  return { fetched, find: (key) => found.get(key) };
}

function emptyPatch(length: number): Patch {
  return { sources: new Int32Array(length).fill(OWN), rows: new Int32Array(length) };
}

function isDelete({ rows, winners }: Folded, winner: number): boolean {
  const { batch, index } = rows.locate(winners[winner]!);
  return batch.ops[index] === OP.delete;
}
