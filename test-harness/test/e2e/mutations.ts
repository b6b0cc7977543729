import type { PostgresServer } from '../../src/index.ts';

/** Tables with keys of several kinds; `n` changes and may be what they are partitioned by, `big` is often not in the log. */
export const MUTATED = ['numbers', 'pairs', 'texts'] as const;

const KEYS: Record<(typeof MUTATED)[number], (n: number) => string> = {
  numbers: (n) => `${n}`,
  pairs: (n) => `${n % 20}, 'b${Math.floor(n / 20)}'`,
  texts: (n) => `'key ${n} ${'ä'.repeat(n % 5)}'`,
};
/** The columns of each table's key. */
export const KEY_COLUMNS: Record<(typeof MUTATED)[number], string[]> = {
  numbers: ['id'],
  pairs: ['a', 'b'],
  texts: ['k'],
};
const WHERE: Record<(typeof MUTATED)[number], string> = { numbers: 'id', pairs: '(a, b)', texts: 'k' };
/** So few keys that most are written again and again. */
const KEY_RANGE = 300;

/** Makes the tables, each with some rows. */
export async function makeMutated(postgres: PostgresServer, schema: string): Promise<void> {
  await postgres.query(`
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.numbers (id bigint PRIMARY KEY, n int, t text, big text);
    CREATE TABLE ${schema}.pairs (a int, b text, n int, t text, big text, PRIMARY KEY (a, b));
    CREATE TABLE ${schema}.texts (k text PRIMARY KEY, n int, t text, big text);`);
  for (const table of MUTATED) {
    await postgres.query(`ALTER TABLE ${schema}.${table} ALTER big SET STORAGE EXTERNAL`);
    const rows = Array.from({ length: KEY_RANGE / 2 }, (_, n) => `(${KEYS[table](n)}, ${n}, 'first', ${bigText(n)})`);
    await postgres.query(`INSERT INTO ${schema}.${table} VALUES ${rows.join(', ')}`);
  }
}

/** Random transactions over the tables, the same for the same seed: rows made, changed, moved and deleted, tables emptied and altered, work rolled back. */
export class Mutations {
  readonly #postgres: PostgresServer;
  readonly #schema: string;
  readonly #isAltering: boolean;
  /** Columns that were added, by table. */
  readonly #added: Record<(typeof MUTATED)[number], string[]> = { numbers: [], pairs: [], texts: [] };
  #random: number;
  #count = 0;

  /** `isAltering`: whether columns are added, dropped, renamed and retyped on the way. */
  constructor(
    postgres: PostgresServer,
    schema: string,
    { seed, isAltering = false }: { seed: number; isAltering?: boolean },
  ) {
    this.#postgres = postgres;
    this.#schema = schema;
    this.#random = seed;
    this.#isAltering = isAltering;
  }

  /** Runs so many transactions. */
  async run(transactions: number): Promise<void> {
    for (let done = 0; done < transactions; done++) {
      if (this.#isAltering && this.below(12) === 0) {
        await this.#postgres.query(`BEGIN; ${this.#alteration()}; COMMIT`);
        continue;
      }
      const statements = Array.from({ length: 1 + this.below(6) }, () => this.#statement());
      if (this.below(5) === 0) statements.splice(1, 0, 'SAVEPOINT s', this.#statement(), 'ROLLBACK TO SAVEPOINT s');
      const end = this.below(8) === 0 ? 'ROLLBACK' : 'COMMIT';
      await this.#postgres.query(['BEGIN', ...statements, end].join('; '));
    }
  }

  /** A whole number from 0 to one below the limit. */
  below(limit: number): number {
    // A linear congruential generator: what matters is that a seed tells all.
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * limit);
  }

  #statement(): string {
    const table = MUTATED[this.below(MUTATED.length)]!;
    const name = `${this.#schema}.${table}`;
    const key = KEYS[table](this.below(KEY_RANGE));
    const where = `${WHERE[table]} = ${table === 'pairs' ? `(${key})` : key}`;
    const value = ++this.#count;
    const kind = this.below(100);
    if (kind < 35) {
      const row = `${key}, ${this.below(50)}, 'made ${value}', ${bigText(this.below(4))}`;
      return `INSERT INTO ${name} VALUES (${row}) ON CONFLICT DO NOTHING`;
    }
    if (kind < 60) return `UPDATE ${name} SET n = ${this.below(50)}, t = 'changed ${value}' WHERE ${where}`;
    if (kind < 68) return `UPDATE ${name} SET big = ${bigText(this.below(4))} WHERE ${where}`;
    if (kind < 72) return `UPDATE ${name} SET t = 'many ${value}' WHERE n % 7 = ${this.below(7)}`;
    if (kind < 80) return this.#move(table, where);
    if (kind < 98) return `DELETE FROM ${name} WHERE ${where}`;
    return kind === 98 ? `TRUNCATE ${name}` : `DELETE FROM ${name} WHERE n % 5 = ${this.below(5)}`;
  }

  /**
   * A table's columns changed in mid-transaction, between rows. What only the source has then (the values of a renamed column, a new type of
   * rows that nobody writes) is written once more, as whoever follows a log must.
   */
  #alteration(): string {
    const table = MUTATED[this.below(MUTATED.length)]!;
    const name = `${this.#schema}.${table}`;
    const added = this.#added[table];
    const fresh = `extra_${++this.#count}`;
    const [oldest] = added;
    const before = `UPDATE ${name} SET t = 'before ${this.#count}' WHERE n % 5 = ${this.below(5)}`;
    const kind = this.below(4);
    if (oldest === undefined || kind === 0) {
      added.push(fresh);
      return `${before}; ALTER TABLE ${name} ADD COLUMN ${fresh} text; UPDATE ${name} SET ${fresh} = 'of ' || n WHERE n % 3 = 0`;
    }
    if (kind === 1) {
      added.shift();
      return `${before}; ALTER TABLE ${name} DROP COLUMN ${oldest}; UPDATE ${name} SET t = 'after' WHERE n % 3 = 0`;
    }
    if (kind === 2) {
      added[0] = fresh;
      return `${before}; ALTER TABLE ${name} RENAME COLUMN ${oldest} TO ${fresh}; UPDATE ${name} SET n = n`;
    }
    return `${before}; ALTER TABLE ${name} ALTER COLUMN n TYPE bigint; UPDATE ${name} SET n = n + 1 WHERE n % 3 = 0`;
  }

  /** A change of key, to one that is surely free. */
  #move(table: (typeof MUTATED)[number], where: string): string {
    const free = KEY_RANGE + ++this.#count;
    const columns = table === 'pairs' ? `(a, b) = (${KEYS.pairs(free)})` : `${WHERE[table]} = ${KEYS[table](free)}`;
    return `UPDATE ${this.#schema}.${table} SET ${columns} WHERE ${where}`;
  }
}

/** Null, short, or so long that it is kept out of the row, and out of the log while it stays as it is. */
function bigText(kind: number): string {
  if (kind % 4 === 0) return 'NULL';
  return kind % 4 === 1 ? `'short'` : `repeat('${kind % 4}', 3000)`;
}
