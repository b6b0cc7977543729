import type { RangeSum, RunContext, SelectedStream } from '@fjord/core';
import { formatSum } from '@fjord/core/apache-arrow';
import type { ConsistentPoint } from '../consistent-point.ts';
import type { ChunkPlan, Database, SummedRows, SumRowsRequest } from '../database.ts';
import type { IndexRange } from '../index-ranges.ts';
import { sourceView } from '../shape/source-view.ts';
import type { VerifyRun } from './verify-streams.ts';

const MEGABYTE = 1024 * 1024;

export type SumParts = { database: Database; selected: SelectedStream; point: ConsistentPoint };

/** Has the database sum a stream's rows, one unit of the plan after the other and several at once; why not, if it cannot. */
export async function sumInDatabase(
  run: VerifyRun,
  { database, selected, point }: SumParts,
  context: RunContext,
): Promise<SummedRows | { whyNot: string }> {
  const columns = sourceColumns(selected);
  if (!database.sumRows) return { whyNot: 'this source cannot sum rows in the database' };
  if (!columns) return { whyNot: 'columns are computed on the way' };
  // All rows are asked for, whatever a sync would read next.
  const { incremental: _, ...stream } = sourceView(selected);
  const snapshot = point.snapshot?.token;
  const { maxStatementSeconds, chunkMB } = run.options;
  const cutBy = point.consistency === 'keys' ? 'key' : 'place';
  const plan = await database.planChunks(stream, { unitBytes: chunkMB * MEGABYTE, snapshot, cutBy, since: undefined });
  const sums = run.sums[selected.stream] ?? { ranges: 1 };
  const limit = plan.isWhole ? undefined : maxStatementSeconds;
  return sumUnits(run, { stream, plan, snapshot, maxStatementSeconds: limit, sums, ...columns }, context);
}

/** Lanes with a connection each take unit after unit; the first that finds it cannot be done ends it. */
async function sumUnits(
  run: VerifyRun,
  request: Omit<SumRowsRequest, 'units'>,
  context: RunContext,
): Promise<SummedRows | { whyNot: string }> {
  const units = unitsOf(request.plan);
  const parts: SummedRows[] = [];
  let whyNot: string | undefined;
  const lane = async () => {
    await using database = await run.open(run.config, context);
    for (let unit = units.shift(); unit && whyNot === undefined; unit = units.shift()) {
      context.signal.throwIfAborted();
      const found = (await database.sumRows?.({ ...request, units: unit })) ?? { whyNot: 'it cannot any more' };
      if ('whyNot' in found) whyNot = found.whyNot;
      else parts.push(found);
    }
  };
  const lanes = Math.min(run.options.parallel, units.length);
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return whyNot === undefined ? merge(parts) : { whyNot };
}

function unitsOf({ units, isWhole }: ChunkPlan): IndexRange[] {
  return isWhole ? [[0, units]] : Array.from({ length: units }, (_, unit): IndexRange => [unit, unit + 1]);
}

function merge(parts: readonly SummedRows[]): SummedRows {
  const totals = new Map<number, { rows: number; sum: bigint }>();
  for (const { range, rows, sum } of parts.flatMap(({ ranges }) => ranges)) {
    const total = totals.get(range) ?? { rows: 0, sum: 0n };
    totals.set(range, { rows: total.rows + rows, sum: total.sum + BigInt(`0x${sum}`) });
  }
  const ranges = Array.from(totals, ([range, { rows, sum }]): RangeSum => ({ range, rows, sum: formatSum(sum) }));
  return { ranges, listed: parts.flatMap(({ listed }) => listed) };
}

/** The source's names of the columns in the order in which they are sent, and of the key; undefined if any is computed. */
function sourceColumns({
  columns,
  primaryKey,
  shape,
}: SelectedStream): Pick<SumRowsRequest, 'columns' | 'key'> | undefined {
  if (!shape) return { columns: columns.map(({ name }) => name), key: primaryKey };
  const names = shape.outputs.flatMap(({ expression }) => ('column' in expression ? [expression.column] : []));
  if (names.length !== shape.outputs.length) return undefined;
  return { columns: names, key: shape.primaryKey };
}
