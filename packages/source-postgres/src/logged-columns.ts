import type { LoggedColumn } from './pgoutput/relation-message.ts';
import type { TableColumn } from './table-columns.ts';

/** What a column is whatever it is called: its table, and its number there, which no other column of the table ever gets. */
export function columnId({ table, number }: Pick<TableColumn, 'table' | 'number'>): string {
  return `${table}.${number}`;
}

/** A column as it was known before. */
type KnownColumn = { readonly name: string; readonly id?: string | undefined };

/**
 * The columns of a relation in the log as the catalog has them now, which may be later: the log names them, and does not number them, but it
 * has them in the order of their numbers. Since new columns come last, those of the log are the first that are there now, or the first there
 * ever were if some were dropped since. What fits neither way or both is known by what it was `before`, in the same order, and by its name.
 */
export function identifyColumns(
  logged: readonly LoggedColumn[],
  now: readonly TableColumn[],
  before: readonly KnownColumn[],
): (TableColumn | undefined)[] {
  const byNumber = new Map(now.map((column) => [column.number, column]));
  const everyNumber = logged.map((_, index) => byNumber.get(index + 1));
  const fits = [now.slice(0, logged.length), everyNumber].filter((found) => isFit(logged, found));
  const [best, other] = fits.toSorted((a, b) => countSame(logged, b) - countSame(logged, a));
  const isClear = best && (!other || countSame(logged, best) > countSame(logged, other) || isSame(best, other));
  return isClear ? best : recallColumns(logged, now, before);
}

function recallColumns(
  logged: readonly LoggedColumn[],
  now: readonly TableColumn[],
  before: readonly KnownColumn[],
): (TableColumn | undefined)[] {
  const byId = new Map(now.map((column) => [columnId(column), column]));
  const renamed = before.filter(({ name }, index) => name !== logged[index]?.name);
  const recalled = logged.map(({ name }, index) => {
    const same = before.find((column) => column.name === name);
    // The only one whose name has changed was renamed, unless its number is gone, too.
    const there = before.length === logged.length && renamed.length === 1 ? before[index] : undefined;
    const known = same ?? there;
    return known?.id === undefined ? undefined : byId.get(known.id);
  });
  const taken = new Set(recalled);
  return recalled.map((column, index) => {
    const named = now.find(({ name }) => name === logged[index]?.name);
    return column ?? (named && !taken.has(named) ? named : undefined);
  });
}

type Found = readonly (TableColumn | undefined)[];

/** A type may be told apart where a name has changed. */
function isFit(logged: readonly LoggedColumn[], found: Found): boolean {
  return (
    found.length === logged.length &&
    found.every((column, index) => !column || column.typeOid === logged[index]?.typeOid)
  );
}

const countSame = (logged: readonly LoggedColumn[], found: Found) =>
  found.filter((column, index) => column?.name === logged[index]?.name).length;

const isSame = (a: Found, b: Found) => a.every((column, index) => column === b[index]);
