import { ConnectorError } from '@fjord/core';
import { OP } from './change-rows.ts';
import { KeyReader } from './key-reader.ts';
import { KeyTable } from './key-table.ts';
import type { RunRows } from './run-rows.ts';
import type { SortedKeys } from './sorted-keys.ts';

/** What becomes of deleted rows (docs/changes.md). */
export type DeleteMode = 'hard' | 'soft' | 'ignore';

export type FoldOptions = {
  /** The numbers of the key's columns; of all columns where there is no key. */
  key: readonly number[];
  /** Without a key rows are told apart by all their columns, and equal ones are counted. */
  isKeyless: boolean;
  deletes: DeleteMode;
  /** The order key of the handover: an insert beyond it is new (rule 5). Undefined before the handover. */
  handover: Uint8Array | undefined;
};

const NONE = -1;

/** What a run of changes comes to. */
export type Folded = {
  rows: RunRows;
  /** The keys of all rows, by number. */
  keys: KeyTable;
  keyOf: Int32Array;
  /** The row with the same key before each row, -1 if there is none. */
  previous: Int32Array;
  /** The last row of each key; -1 where only ignored deletes came. */
  last: Int32Array;
  /** Rows that are to be in the table, ascending; without a key a row is there as often as it was added. In soft mode deleted ones, too. */
  winners: Int32Array;
  /** Keys of which rows that are in the table must go. */
  obsolete: SortedKeys;
  /** Without a key: how many rows of each obsolete key must go. */
  limits: Int32Array | undefined;
};

/** Folds a run per key: the last change wins. */
export function foldRun(rows: RunRows, options: FoldOptions): Folded {
  const first = rows.batches[0];
  if (!first) throw new Error('a run without changes');
  const keys = new KeyTable(readerOf(first, options).isExact);
  const folding = { rows, keys, keyOf: new Int32Array(rows.length), previous: new Int32Array(rows.length).fill(NONE) };
  return options.isKeyless ? foldBag(folding, options) : foldByKey(folding, options);
}

/** What has no key may be null in any column. */
function readerOf({ rows }: RunRows['batches'][number], { key, isKeyless }: FoldOptions): KeyReader {
  return new KeyReader(rows, key, { exact: !isKeyless });
}

type Folding = Pick<Folded, 'rows' | 'keys' | 'keyOf' | 'previous'>;

function foldByKey(folding: Folding, options: FoldOptions): Folded {
  const { rows, keys, keyOf, previous } = folding;
  let last: Int32Array = new Int32Array(1024).fill(NONE);
  const isObsolete: boolean[] = [];
  for (const [batch, changes] of rows.batches.entries()) {
    const reader = readerOf(changes, options);
    const start = rows.starts[batch]!;
    for (let index = 0; index < changes.length; index++) {
      const [row, op] = [start + index, changes.ops[index]!];
      if (!reader.read(index)) throw nullKey();
      const known = keys.count;
      const key = keys.add(reader);
      keyOf[row] = key;
      if (key === known) {
        if (key === last.length) last = doubled(last);
        isObsolete[key] = !isNew(changes, index, options);
      }
      if (op === OP.delete && options.deletes === 'ignore') continue;
      previous[row] = last[key]!;
      last[key] = row;
    }
  }
  const obsolete = Array.from(isObsolete.keys()).filter((key) => isObsolete[key] && last[key] !== NONE);
  const winners = rowsThatStay(folding, { last, keepDeleted: options.deletes === 'soft' });
  return { ...folding, last, winners, obsolete: keys.sorted(Uint32Array.from(obsolete)), limits: undefined };
}

/** Rule 5: the first change of its key, an insert beyond the handover, where no row of that key can have been left in the table. */
function isNew(changes: RunRows['batches'][number], index: number, { deletes, handover }: FoldOptions): boolean {
  if (deletes !== 'hard' || !handover || changes.ops[index] !== OP.create) return false;
  return changes.isBeyond(index, handover);
}

function rowsThatStay(
  { rows, keyOf }: Folding,
  { last, keepDeleted }: { last: Int32Array; keepDeleted: boolean },
): Int32Array {
  const winners = new Int32Array(rows.length);
  let count = 0;
  for (const [batch, { ops, length }] of rows.batches.entries()) {
    const start = rows.starts[batch]!;
    for (let index = 0; index < length; index++) {
      const row = start + index;
      if (last[keyOf[row]!] !== row) continue;
      if (keepDeleted || ops[index] !== OP.delete) winners[count++] = row;
    }
  }
  return winners.slice(0, count);
}

/** A multiset: each insert adds a row, each delete takes one of the equal rows away (and leaves it marked in soft mode). */
function foldBag(folding: Folding, options: FoldOptions): Folded {
  const { rows, keys, keyOf } = folding;
  const counts: number[] = [];
  const added: number[] = [];
  const marked: number[] = [];
  for (const [batch, changes] of rows.batches.entries()) {
    const reader = readerOf(changes, options);
    for (let index = 0; index < changes.length; index++) {
      reader.read(index);
      const [row, key] = [rows.starts[batch]! + index, keys.add(reader)];
      keyOf[row] = key;
      counts[key] ??= 0;
      if (changes.ops[index] !== OP.delete) {
        counts[key] += 1;
        added[key] = row;
      } else if (options.deletes !== 'ignore') {
        counts[key] -= 1;
        if (options.deletes === 'soft') marked.push(row);
      }
    }
  }
  const staying = counts.flatMap((count, key) => Array.from({ length: Math.max(0, count) }, () => added[key] ?? NONE));
  const winners = Int32Array.from([...marked, ...staying]).toSorted();
  const limits = Int32Array.from(counts, (count) => Math.max(0, -count));
  const obsolete = Uint32Array.from(limits.keys()).filter((key) => limits[key]! > 0);
  const last = new Int32Array(keys.count).fill(NONE);
  return { ...folding, last, winners, obsolete: keys.sorted(obsolete), limits };
}

function nullKey(): ConnectorError {
  return new ConnectorError('protocol_violation', 'A change has null in its key.');
}

function doubled(numbers: Int32Array): Int32Array {
  const larger = new Int32Array(numbers.length * 2).fill(NONE);
  larger.set(numbers);
  return larger;
}
