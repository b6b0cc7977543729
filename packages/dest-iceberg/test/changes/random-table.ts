import type { Column } from '@fjord/core';
import { type Change, randomFrom, type Row } from './change-log.ts';

/** What a transaction of the random source does. */
export type Transaction = { changes: Change[]; isTruncated: boolean };

const WORDS = ['', 'Ærø', 'x'.repeat(300), '😀', "it's"];

/** Columns that every random table has behind its key; `big` is sometimes not in the log. */
export const VALUES: Column[] = [
  { name: 'name', type: 'string', nullable: true },
  { name: 'amount', type: 'decimal(18,2)', nullable: true },
  { name: 'at', type: 'timestamptz', nullable: true },
  { name: 'big', type: 'string', nullable: true },
];

/** A kind of key: its columns, and the values of the `number`th one. */
export type KeyKind = { columns: Column[]; valuesOf(number: number): Row };

export const KEYS: Record<string, KeyKind> = {
  long: {
    columns: [{ name: 'id', type: 'long', nullable: false }],
    valuesOf: (number) => ({ id: String(number - 20) }),
  },
  text: {
    columns: [{ name: 'id', type: 'string', nullable: false }],
    valuesOf: (number) => ({ id: `${number % 7 === 0 ? 'ø'.repeat(20) : ''}k${number}` }),
  },
  uuid: {
    columns: [{ name: 'id', type: 'uuid', nullable: false }],
    valuesOf: (number) => ({ id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` }),
  },
  decimal: {
    columns: [{ name: 'id', type: 'decimal(38,3)', nullable: false }],
    valuesOf: (number) => ({ id: `${number - 20}.${String(number % 10).padEnd(3, '0')}` }),
  },
  composite: {
    columns: [
      { name: 'region', type: 'string', nullable: false },
      { name: 'id', type: 'int', nullable: false },
      { name: 'day', type: 'date', nullable: false },
    ],
    valuesOf: (number) => ({
      region: ['a', 'ab', ''][number % 3],
      id: number >> 1,
      day: `2024-01-0${(number % 5) + 1}`,
    }),
  },
};

/** What may be in a transaction: truncates, and columns that the log does not carry. */
type TransactionOptions = { truncates?: boolean; unset?: boolean };

/** A table whose rows change at random, and what they are after each transaction. */
export class RandomTable {
  readonly key: KeyKind;
  readonly columns: Column[];
  readonly rows = new Map<string, Row>();
  readonly #random: (below: number) => number;
  #last = 0;
  #leavesUnset = true;

  constructor(key: KeyKind, seed: number) {
    this.key = key;
    this.columns = [...key.columns, ...VALUES];
    this.#random = randomFrom(seed);
  }

  /** Inserts `count` rows that no change tells of. */
  fill(count: number): Row[] {
    return Array.from({ length: count }, () => this.#put(this.#newKey(), this.#values()));
  }

  /** Up to `most` changes. */
  transaction(most: number, { truncates = true, unset = true }: TransactionOptions = {}): Transaction {
    this.#leavesUnset = unset;
    const isTruncated = truncates && this.#random(40) === 0;
    if (isTruncated) this.rows.clear();
    const changes = Array.from({ length: 1 + this.#random(most) }, () => this.#change()).flat();
    return { changes, isTruncated };
  }

  /** The rows as readers print them. */
  expected(columns = this.columns.map(({ name }) => name)): (string | null)[][] {
    return [...this.rows.values()].map((row) => columns.map((name) => (row[name] === null ? null : String(row[name]))));
  }

  #change(): Change[] {
    const key = this.#anyKey();
    const row = key === undefined ? undefined : this.rows.get(key);
    const dice = this.#random(10);
    if (key === undefined || !row || dice < 3) return [{ op: 'c', row: this.#put(this.#newKey(), this.#values()) }];
    if (dice < 5) {
      this.rows.delete(key);
      return [{ op: 'd', row: this.#keyOf(row) }];
    }
    const keepsBig = this.#leavesUnset && this.#random(2) === 0;
    const values = { ...this.#values(), ...(keepsBig && { big: row['big'] }) };
    const sent = (changed: Row) => (keepsBig ? { row: { ...changed, big: null }, unset: ['big'] } : { row: changed });
    if (dice < 9) return [{ op: 'u', ...sent(this.#put(this.#keyOf(row), values)) }];
    this.rows.delete(key);
    return [
      { op: 'd', row: this.#keyOf(row) },
      { op: 'c', ...sent(this.#put(this.#newKey(), values)) },
    ];
  }

  #newKey(): Row {
    // A key that was deleted comes again now and then.
    const again = this.#last > 0 && this.#random(4) === 0 ? this.key.valuesOf(this.#random(this.#last)) : undefined;
    return again && !this.rows.has(JSON.stringify(again)) ? again : this.key.valuesOf(this.#last++);
  }

  #anyKey(): string | undefined {
    return [...this.rows.keys()][this.#random(this.rows.size)];
  }

  #keyOf(row: Row): Row {
    return Object.fromEntries(this.key.columns.map(({ name }) => [name, row[name]]));
  }

  #values(): Row {
    const pick = (value: string) => (this.#random(6) === 0 ? null : value);
    return {
      name: pick(`${WORDS[this.#random(WORDS.length)]}${this.#random(100)}`),
      amount: pick(`${this.#random(1000) - 500}.${String(this.#random(100)).padStart(2, '0')}`),
      at: pick(`2024-0${1 + this.#random(6)}-15T0${this.#random(10)}:00:00.000001Z`),
      big: pick('B'.repeat(this.#random(50)) + String(this.#random(1000))),
    };
  }

  #put(key: Row, values: Row): Row {
    const row = { ...key, ...values };
    this.rows.set(JSON.stringify(key), row);
    return row;
  }
}
