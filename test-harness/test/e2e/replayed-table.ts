import type { PostgresServer } from '../../src/index.ts';

/** How many rows the writer has added and not yet taken away again. */
const WINDOW = 10;
/** The text in every row. */
export const PAD = 'p'.repeat(150);

/**
 * A table whose every state is known: transaction n adds 1 to the row `pick(n)`, writes n into row 0, adds row size + n and deletes the one
 * added 10 transactions ago. So row 0 says which transactions a copy must hold, and it must hold these whole and no other.
 */
export class ReplayedTable {
  readonly name: string;
  readonly size: number;
  #transactions = 0;

  constructor(name: string, size: number) {
    this.name = name;
    this.size = size;
  }

  async create(server: PostgresServer): Promise<void> {
    await server.query(`
      CREATE TABLE ${this.name} (id int PRIMARY KEY, v int, pad text);
      INSERT INTO ${this.name} SELECT g, 0, '${PAD}' FROM generate_series(0, ${this.size}) g`);
  }

  /** The next transaction, as one piece of SQL. */
  next(): string {
    this.#transactions += 1;
    const n = this.#transactions;
    return `BEGIN;
      UPDATE ${this.name} SET v = v + 1 WHERE id = ${this.#pick(n)};
      UPDATE ${this.name} SET v = ${n} WHERE id = 0;
      INSERT INTO ${this.name} VALUES (${this.size + n}, 0, '${PAD}');
      DELETE FROM ${this.name} WHERE id = ${this.size + n - WINDOW} AND id > ${this.size};
      COMMIT`;
  }

  /** How many transactions a copy's rows hold, and the rows that it must have then, by id. */
  stateOf(rows: readonly unknown[][]): { transactions: number; expected: Map<number, [number, string]> } {
    const transactions = Number(rows.find(([id]) => Number(id) === 0)?.[1]);
    const expected = new Map<number, [number, string]>([[0, [transactions, PAD]]]);
    for (let id = 1; id <= this.size; id++) expected.set(id, [0, PAD]);
    for (let n = 1; n <= transactions; n++) {
      const row = expected.get(this.#pick(n));
      if (row) row[0] += 1;
      expected.set(this.size + n, [0, PAD]);
      if (n > WINDOW) expected.delete(this.size + n - WINDOW);
    }
    return { transactions, expected };
  }

  /** How high `v` may be in each row that a transaction so far has written, by id; all other rows have stood still. */
  written(): Map<number, number> {
    const highest = new Map([[0, this.#transactions]]);
    for (let n = 1; n <= this.#transactions; n++) {
      const picked = this.#pick(n);
      highest.set(picked, (highest.get(picked) ?? 0) + 1);
      highest.set(this.size + n, 0);
    }
    return highest;
  }

  /** What a copy must hold exactly once, whenever each part of it was read. */
  still(): [string, string, string][] {
    const written = this.written();
    const ids = Array.from({ length: this.size + 1 }, (_, id) => id).filter((id) => !written.has(id));
    return ids.map((id) => [String(id), '0', PAD]);
  }

  /** A row near the table's end next to one near its start: what a moving row could be read from twice, or missed in. */
  #pick(n: number): number {
    return 1 + ((n * 7919) % this.size);
  }
}
