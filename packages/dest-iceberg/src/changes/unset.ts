import { OP } from './change-rows.ts';
import type { DeleteMode, Folded } from './fold.ts';
import type { RunLayout } from './run-layout.ts';

const NONE = -1;

/** Where a value comes from that a row's own change does not carry: an earlier row of the run, or the live row of a key. */
export type Origin = { type: 'row'; row: number } | { type: 'live'; key: number } | { type: 'missing' };

/** A value of a winner that has to be taken from elsewhere. `isAdded`: the column is newer than the change, so that null is right if there is no other. */
export type Gap = { winner: number; column: number; origin: Origin; isAdded: boolean };

/** Finds the values that winners lack, and traces each back through the run (rule 4). */
export function findGaps(folded: Folded, layout: RunLayout, deletes: DeleteMode): Gap[] {
  const { rows, winners } = folded;
  const { carried, columns, key, isKeyless } = layout;
  const hasAdded = columns.length > carried;
  const gaps: Gap[] = [];
  for (let winner = 0; winner < winners.length; winner++) {
    const row = winners[winner]!;
    const { batch, index } = rows.locate(row);
    const isDelete = batch.ops[index] === OP.delete;
    const hasUnset = batch.hasUnset(index);
    if (isKeyless || (!isDelete && !hasUnset && !hasAdded)) continue;
    for (let column = 0; column < columns.length; column++) {
      const isAdded = column >= carried;
      const isGap = isAdded || (isDelete ? !key.includes(column) : batch.isUnset(index, column));
      if (isGap) gaps.push({ winner, column, origin: trace(folded, { row, column, carried, deletes }), isAdded });
    }
  }
  return gaps;
}

type Traced = { row: number; column: number; carried: number; deletes: DeleteMode };

function trace(folded: Folded, { row, column, carried, deletes }: Traced): Origin {
  const { rows, keyOf, previous } = folded;
  for (let at = row; ;) {
    const { batch, index } = rows.locate(at);
    const op = batch.ops[index];
    if (op !== OP.delete && column < carried && !batch.isUnset(index, column)) return { type: 'row', row: at };
    const isChangedKey = op === OP.create && index > 0 && batch.ops[index - 1] === OP.delete && batch.hasUnset(index);
    const key = keyOf[isChangedKey ? at - 1 : at]!;
    const before = isChangedKey ? rowBefore(folded, at - 1, deletes) : previous[at]!;
    if (before === NONE) return { type: 'live', key };
    const earlier = rows.locate(before);
    if (op !== OP.delete && earlier.batch.ops[earlier.index] === OP.delete) return { type: 'missing' };
    at = before;
  }
}

/** The row with the same key before a delete; an ignored delete is not in the chain of its key. */
function rowBefore({ keyOf, last, previous }: Folded, row: number, deletes: DeleteMode): number {
  if (deletes !== 'ignore') return previous[row]!;
  let before = last[keyOf[row]!]!;
  while (before > row) before = previous[before]!;
  return before;
}
