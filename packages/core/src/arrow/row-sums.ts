import { hash } from 'node:crypto';
import type { Data } from 'apache-arrow';
import type { Column } from '../column-type.ts';
import type { ListedRow, RangeSum, SumRequest } from '../protocol/verification.ts';
import { canonicalReader, isFreeText } from './canonical-text.ts';

const TWO_32 = 2 ** 32;
/** Halves of sums are folded before they could lose a bit: numbers are exact up to 2^53. */
const FOLD_AT = 2 ** 52;

/** What is summed: the columns in the order of the row's text, and by which of them rows fall into ranges (all of them where there is no key). */
export type SummedColumns = { columns: readonly Column[]; primaryKey: readonly string[] };

/**
 * Counts rows and adds up their 64-bit hashes, for each range of the key's hash (rule 20). A row's hash is the first half of the MD5 of
 * its text, its range the last bits of the first quarter of that of its key's. Lists the rows of the ranges that are asked for.
 */
export class RowSums {
  readonly #columns: readonly Column[];
  readonly #key: readonly number[];
  readonly #mask: number;
  readonly #wanted: ReadonlySet<number> | undefined;
  readonly #rows: Float64Array;
  readonly #high: Float64Array;
  readonly #low: Float64Array;
  readonly #listed: ListedRow[] = [];

  constructor({ columns, primaryKey }: SummedColumns, { ranges, list }: SumRequest) {
    this.#columns = columns;
    this.#key =
      primaryKey.length === 0
        ? columns.map((_, index) => index)
        : primaryKey.map((name) => columns.findIndex((column) => column.name === name));
    if (this.#key.includes(-1)) throw new Error('a key column is not among the columns');
    this.#mask = ranges - 1;
    this.#wanted = list && new Set(list);
    this.#rows = new Float64Array(ranges);
    this.#high = new Float64Array(ranges);
    this.#low = new Float64Array(ranges);
  }

  /** Adds rows of a record batch; of the columns that are undefined all values are null. `isLive` leaves out rows. */
  add(rows: { length: number; columns: readonly (Data | undefined)[] }, isLive?: (row: number) => boolean): void {
    const readers = this.#columns.map(({ type }, index) => {
      const data = rows.columns[index];
      return data ? canonicalReader(data, type) : () => undefined;
    });
    const isFree = this.#columns.map(({ type }) => isFreeText(type));
    const texts: (string | undefined)[] = [];
    for (let row = 0; row < rows.length; row++) {
      if (isLive && !isLive(row)) continue;
      for (const [index, read] of readers.entries()) texts[index] = read(row);
      this.#addRow(texts, isFree);
    }
  }

  /** Takes over what another one has summed. */
  addAll(other: RowSums): void {
    for (const [range, rows] of other.#rows.entries()) {
      if (rows > 0) this.#add(range, { rows, high: other.#high[range]!, low: other.#low[range]! });
    }
    for (const listed of other.#listed) this.#listed.push(listed);
  }

  /** The ranges that have rows. */
  get ranges(): RangeSum[] {
    const sums: RangeSum[] = [];
    for (const [range, rows] of this.#rows.entries()) {
      if (rows === 0) continue;
      const sum = (BigInt(this.#high[range]!) << 32n) + BigInt(this.#low[range]!);
      sums.push({ range, rows, sum: formatSum(sum) });
    }
    return sums;
  }

  /** The rows of the ranges that were to be listed. */
  get listed(): readonly ListedRow[] {
    return this.#listed;
  }

  #addRow(texts: readonly (string | undefined)[], isFree: readonly boolean[]): void {
    const part = (index: number) => rowPart(texts[index], isFree[index]!);
    const keyHash = md5(this.#key.map(part).join('|'));
    const range = keyHash.readUInt32BE(0) & this.#mask;
    if (this.#wanted && !this.#wanted.has(range)) return;
    const rowHash = md5(texts.map((_, index) => part(index)).join('|'));
    if (!this.#wanted) {
      this.#add(range, { rows: 1, high: rowHash.readUInt32BE(0), low: rowHash.readUInt32BE(4) });
      return;
    }
    const key = this.#key.map((index) => texts[index] ?? null);
    this.#listed.push({ key, sum: rowHash.toString('hex', 0, 8) });
  }

  #add(range: number, { rows, high, low }: { rows: number; high: number; low: number }): void {
    this.#rows[range]! += rows;
    this.#high[range]! += high;
    this.#low[range]! += low;
    if (this.#low[range]! >= FOLD_AT) {
      this.#high[range]! += Math.floor(this.#low[range]! / TWO_32);
      this.#low[range]! %= TWO_32;
    }
    if (this.#high[range]! >= FOLD_AT) this.#high[range]! %= TWO_32;
  }
}

/** A sum of row hashes modulo 2^64, in 16 hexadecimal digits. */
export function formatSum(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}

/** Null is nothing, which no value's text is; the length of free text is counted in code points, as databases do. */
function rowPart(text: string | undefined, isFree: boolean): string {
  if (text === undefined) return '';
  return isFree ? `${countCodePoints(text)}:${text}` : text;
}

function countCodePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // The second half of a pair.
    if (unit >= 0xdc00 && unit <= 0xdfff) count -= 1;
  }
  return count;
}

const md5 = (text: string): Buffer => hash('md5', text, 'buffer');
