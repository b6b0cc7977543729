import type { Repair, SelectedStream } from '@fjord/core';
import { sourceKey } from './compare-sums.ts';
import type { StreamVerdict } from './verdict.ts';

/** More rows of a stream than these are not sent one by one: it is copied anew. */
const MAX_ROWS = 100_000;

/** What makes tables as the source is: rows to send again, streams to copy anew, and streams of which neither can be done, with why. */
export type RepairPlan = { rows: Repair['streams']; backfill: string[]; refused: Map<string, string> };

/** Decides how each stream that differs is repaired. */
export function planRepair(
  verdicts: readonly StreamVerdict[],
  selected: readonly SelectedStream[],
  canRepair: boolean,
): RepairPlan {
  const plan: RepairPlan = { rows: {}, backfill: [], refused: new Map() };
  for (const verdict of verdicts) {
    const stream = selected.find((other) => other.stream === verdict.stream);
    if (!stream) continue;
    const refusal = whyNot(stream, canRepair);
    if (refusal !== undefined) {
      plan.refused.set(verdict.stream, refusal);
      continue;
    }
    const keys = keysToSend(verdict, stream);
    if (keys) plan.rows[verdict.stream] = keys;
    else plan.backfill.push(verdict.stream);
  }
  return plan;
}

function whyNot({ changes, writeMode }: SelectedStream, canRepair: boolean): string | undefined {
  if (changes)
    return canRepair ? undefined : 'its source cannot send rows again: copy it anew with `fjord sync --backfill`';
  if (writeMode === 'overwrite') return 'not repaired: the next `fjord sync` copies all of its rows';
  return 'not repaired: its rows are added only, and it does not follow the change log';
}

/** The keys of all rows that differ, as the source knows them; undefined where they are too many, or not known. */
function keysToSend(
  { keys, isListed }: StreamVerdict,
  selected: SelectedStream,
): Record<string, unknown>[] | undefined {
  const { missing, extra, changed } = keys;
  const all = [...missing, ...extra, ...changed];
  if (!isListed || all.length > MAX_ROWS) return undefined;
  const known = all.map((key) => sourceKey(key, selected)).filter((key) => key !== undefined);
  return known.length === all.length ? known : undefined;
}
