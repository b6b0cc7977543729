import { expect } from 'vitest';
import type { CanonicalValue, PostgresServer } from '../../src/index.ts';
import { KEY_COLUMNS, MUTATED } from './mutations.ts';
import type { Pipeline } from './pipeline.ts';

type Table = (typeof MUTATED)[number];
type Row = Record<string, CanonicalValue>;

/** Counts, by a slot of the test's own, what the server's log says of tables: the measure of a history of the same changes. */
export class LogCount {
  readonly #postgres: PostgresServer;
  readonly #schema: string;

  private constructor(postgres: PostgresServer, schema: string) {
    this.#postgres = postgres;
    this.#schema = schema;
  }

  /** Begins to count at this moment. */
  static async begin(postgres: PostgresServer, schema: string): Promise<LogCount> {
    await postgres.query(`CREATE PUBLICATION count_${schema} FOR TABLES IN SCHEMA ${schema}`);
    await postgres.query(`SELECT pg_create_logical_replication_slot('count_${schema}', 'pgoutput')`);
    return new LogCount(postgres, schema);
  }

  /** How many changes of each kind came of a table, as a history names them: a change of key is a delete and a create. */
  async of(table: Table): Promise<Record<string, number>> {
    // Layout: manual, 53.9 Logical Replication Message Formats.
    const rows = await this.#postgres.query<{ kind: string; count: number }>(
      `WITH messages AS (
         SELECT chr(get_byte(data, 0)) AS kind, encode(substring(data FROM 6 FOR 1), 'escape') AS part,
           substring(data FROM CASE WHEN chr(get_byte(data, 0)) = 'T' THEN 7 ELSE 2 END FOR 4) AS relation
         FROM pg_logical_slot_peek_binary_changes($1::text::name, NULL, NULL, 'proto_version', '1', 'publication_names', $1::text))
       SELECT kind || CASE WHEN kind = 'U' AND part = 'K' THEN part ELSE '' END AS kind, count(*)::int AS count
       FROM messages WHERE kind IN ('I', 'U', 'D', 'T') AND relation = int4send($2::regclass::oid::int) GROUP BY 1`,
      [`count_${this.#schema}`, `${this.#schema}.${table}`],
    );
    const count = (kind: string) => rows.find((row) => row.kind === kind)?.count ?? 0;
    return { c: count('I') + count('UK'), d: count('D') + count('UK'), t: count('T'), u: count('U') };
  }
}

/** A history has each change once and no other, and its changes, one after the other, make what the database has. */
export async function expectHistory(pipeline: Pipeline, schema: string, log: LogCount): Promise<void> {
  for (const table of MUTATED) {
    const history = await readRows(pipeline, schema, table);
    const changes = history.filter(({ _fjord_op }) => _fjord_op !== 'r');
    const positions = new Set(changes.map(({ _fjord_position }) => _fjord_position));
    expect(positions.size, `${table}: places in the log`).toBe(changes.length);
    const counts: Record<string, number> = { c: 0, d: 0, t: 0, u: 0 };
    for (const { _fjord_op: op } of changes) if (typeof op === 'string') counts[op] = (counts[op] ?? 0) + 1;
    expect(counts, table).toEqual(await log.of(table));
    const { columns, rows } = await pipeline.expected(`SELECT * FROM ${schema}.${table}`);
    const names = columns.map(({ name }) => name);
    const wanted = rows.map((row) => Object.fromEntries(names.map((name, place) => [name, row[place] ?? null])));
    expect(sorted(replay(history, table), names), table).toEqual(sorted(wanted, names));
  }
}

/** Softly deleted rows stay beside the living, which are what the database has: no key is there twice, and none goes that was there before. */
export async function expectSoftlyDeleted(
  pipeline: Pipeline,
  schema: string,
  before: ReadonlySet<string>,
): Promise<void> {
  for (const table of MUTATED) {
    const rows = await readRows(pipeline, schema, table);
    const keys = rows.map((row) => keyOf(row, table));
    expect(new Set(keys).size, `${table}: keys`).toBe(keys.length);
    const gone = [...before].filter((key) => key.startsWith(`${table} `) && !keys.includes(key));
    expect(gone, table).toEqual([]);
    const { columns, rows: wanted } = await pipeline.expected(`SELECT * FROM ${schema}.${table}`);
    const names = columns.map(({ name }) => name);
    const living = rows.filter(({ _fjord_deleted_at }) => _fjord_deleted_at === null);
    const found = living.map((row) => names.map((name) => row[name] ?? null));
    expect(found.map((row) => JSON.stringify(row)).toSorted(), table).toEqual(
      wanted.map((row) => JSON.stringify(row)).toSorted(),
    );
  }
}

/** The keys that the tables have now. */
export async function readKeys(pipeline: Pipeline, schema: string): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const table of MUTATED) for (const row of await readRows(pipeline, schema, table)) keys.add(keyOf(row, table));
  return keys;
}

/** What is left when all changes are made in their order; a column that a change does not carry stays as it is, also where the key is another one. */
function replay(history: Row[], table: Table): Row[] {
  const living = new Map<string, Row>();
  const orderOf = ({ _fjord_position: position }: Row) => (typeof position === 'string' ? position : '');
  let moved: Row | undefined;
  for (const row of history.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))) {
    const key = keyOf(row, table);
    const earlier = living.get(key);
    if (row['_fjord_op'] === 't') living.clear();
    else if (row['_fjord_op'] === 'd') living.delete(key);
    else living.set(key, completed(row, earlier ?? moved));
    moved = row['_fjord_op'] === 'd' ? earlier : undefined;
  }
  return [...living.values()];
}

function completed(row: Row, earlier: Row | undefined): Row {
  const unset = Array.isArray(row['_fjord_unset']) ? row['_fjord_unset'].map(String) : [];
  return { ...row, ...Object.fromEntries(unset.map((name) => [name, earlier?.[name] ?? 'a value that nobody had'])) };
}

async function readRows(pipeline: Pipeline, schema: string, table: Table): Promise<Row[]> {
  const { columns, rows } = await pipeline.read('duckdb', table, schema);
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, place) => [name, row[place] ?? null])));
}

const keyOf = (row: Row, table: Table) => `${table} ${JSON.stringify(KEY_COLUMNS[table].map((name) => row[name]))}`;

const sorted = (rows: Row[], names: string[]) =>
  rows.map((row) => JSON.stringify(names.map((name) => row[name] ?? null))).toSorted();
