import { describe, expect, test } from 'vitest';
import {
  type DataFile,
  type Predicate,
  type Schema,
  type Table,
  type Value,
  bindTransform,
  commitTable,
  createPartitionSpec,
  createSchema,
  encodeValue,
  isPrimitive,
  parseTransform,
  planFiles,
  stageSnapshot,
} from '../src/index.ts';
import { ORDERS, dataFile, openWarehouse, reload } from './warehouse.ts';

const SCHEMA = createSchema([
  { name: 'id', type: 'long' },
  { name: 'at', type: 'timestamptz' },
  { name: 'name', type: 'string' },
  { name: 'score', type: 'double' },
]);

const HOUR_US = 3_600_000_000n;
type Row = Record<string, Value | null>;

/** A row by its number: a scrambled id, hours in no order, names of several lengths, nulls here and there. */
function rowOf(seed: number): Row {
  return {
    id: seed % 13 === 0 ? null : BigInt((seed * 7919) % 1000) - 500n,
    at: seed % 17 === 0 ? null : BigInt((seed * 31) % 400) * HOUR_US - 200n * HOUR_US,
    name: seed % 11 === 0 ? null : 'abc🐟xyz'.slice(seed % 3, (seed % 3) + 1 + (seed % 5)),
    score: seed % 19 === 0 ? Number.NaN : seed % 7 === 0 ? null : (seed % 100) / 3 - 10,
  };
}

/** The file of some rows, as a writer would describe it. */
function fileOf(table: Table, index: number, rows: Row[]): DataFile {
  const { metadata } = table;
  const spec = metadata['partition-specs'].at(-1)!;
  const fields = SCHEMA.fields.flatMap((field) => (isPrimitive(field.type) ? [{ ...field, type: field.type }] : []));
  const partition = new Map(
    spec.fields.map((field) => {
      const source = fields.find(({ id }) => id === field['source-id'])!;
      return [
        field['field-id'],
        bindTransform(parseTransform(field.transform), source.type)(rows[0]![source.name] ?? null),
      ];
    }),
  );
  const maps = {
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    nanValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
  };
  for (const { id, name, type } of fields) {
    const values = rows.map((row) => row[name] ?? null);
    const present = values.filter((value) => value !== null && !Number.isNaN(value)) as Value[];
    const sorted = present.toSorted((a, b) =>
      typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) : a < b ? -1 : 1,
    );
    maps.valueCounts.set(id, BigInt(values.length));
    maps.nullValueCounts.set(id, BigInt(values.filter((value) => value === null).length));
    if (type === 'double') maps.nanValueCounts.set(id, BigInt(values.filter((value) => Number.isNaN(value)).length));
    if (sorted.length === 0) continue;
    maps.lowerBounds.set(id, encodeValue(type, sorted[0]!));
    maps.upperBounds.set(id, encodeValue(type, sorted.at(-1)!));
  }
  return dataFile(`${index}.parquet`, { partition, recordCount: BigInt(rows.length), ...maps });
}

/** Whether a row passes, by SQL's rules; NaN is above all numbers. */
function passes(row: Row, predicate: Predicate): boolean | null {
  if (predicate.op === 'not') {
    const result = passes(row, predicate.of);
    return result === null ? null : !result;
  }
  if ('of' in predicate) {
    const results = predicate.of.map((part) => passes(row, part));
    const decisive = predicate.op === 'or';
    if (results.includes(decisive)) return decisive;
    return results.includes(null) ? null : !decisive;
  }
  const value = row[predicate.column] ?? null;
  if ('value' in predicate || 'values' in predicate) return compare(value, predicate);
  return (predicate.op === 'is-null') === (value === null);
}

function compare(
  value: Value | null,
  predicate: Extract<Predicate, { value: Value } | { values: readonly Value[] }>,
): boolean | null {
  if (value === null) return null;
  const order = (a: Value, b: Value) =>
    Number.isNaN(a)
      ? Number.isNaN(b)
        ? 0
        : 1
      : typeof a === 'string'
        ? Buffer.compare(Buffer.from(a), Buffer.from(String(b)))
        : a < b
          ? -1
          : a > b
            ? 1
            : 0;
  switch (predicate.op) {
    case 'in':
      return predicate.values.some((item) => order(value, item) === 0);
    case 'not-in':
      return !predicate.values.some((item) => order(value, item) === 0);
    case '=':
      return order(value, predicate.value) === 0;
    case '!=':
      return order(value, predicate.value) !== 0;
    case '<':
      return order(value, predicate.value) < 0;
    case '<=':
      return order(value, predicate.value) <= 0;
    case '>':
      return order(value, predicate.value) > 0;
    case '>=':
      return order(value, predicate.value) >= 0;
    case 'starts-with':
      return String(value).startsWith(String(predicate.value));
    default:
      return predicate satisfies never;
  }
}

const LEAVES: Predicate[] = [
  ...(['=', '!=', '<', '<=', '>', '>='] as const).flatMap((op): Predicate[] => [
    { op, column: 'id', value: 17n },
    { op, column: 'id', value: -500n },
    { op, column: 'at', value: 5n * HOUR_US },
    { op, column: 'at', value: -24n * HOUR_US },
    { op, column: 'name', value: 'bc' },
    { op, column: 'score', value: 3 },
  ]),
  { op: 'in', column: 'id', values: [1n, 2n, 3n] },
  { op: 'not-in', column: 'id', values: [1n] },
  { op: 'in', column: 'at', values: [HOUR_US, 30n * HOUR_US] },
  { op: 'starts-with', column: 'name', value: 'a' },
  { op: 'starts-with', column: 'name', value: 'abc🐟' },
  { op: 'is-null', column: 'name' },
  { op: 'not-null', column: 'at' },
  { op: 'is-null', column: 'id' },
];
const PREDICATES: Predicate[] = [
  ...LEAVES,
  ...LEAVES.map((of): Predicate => ({ op: 'not', of })),
  { op: 'and', of: [LEAVES[0]!, LEAVES[2]!] },
  { op: 'not', of: { op: 'or', of: [LEAVES[2]!, { op: 'not', of: LEAVES.at(-3)! }] } },
];

test.each([
  [[]],
  [['day(at)']],
  [['bucket(8, id)', 'truncate(2, name)']],
  [['month(at)', 'id']],
  [['score', 'hour(at)']],
])(
  'no file with a row that passes is left out of a table partitioned by %j, and files without one often are',
  async (terms) => {
    await using warehouse = await openWarehouse();
    const spec = createPartitionSpec(SCHEMA, terms);
    const created = await warehouse.catalog.createTable(ORDERS, { schema: SCHEMA, partitionSpec: spec });
    const groups = groupRows(created, SCHEMA);
    const files = groups.map((rows, index) => fileOf(created, index, rows));
    // Two manifests, so that their summaries are tested too.
    for (const half of [files.slice(0, files.length / 2), files.slice(files.length / 2)])
      await commitTable(warehouse.catalog, ORDERS, (table) => stageSnapshot(table, { append: half }));
    const table = await reload(warehouse.catalog);
    let left = 0;
    for (const filter of PREDICATES) {
      const planned = new Set(await Array.fromAsync(planFiles(table, { filter }), ({ file }) => file.filePath));
      left += files.length - planned.size;
      for (const [index, rows] of groups.entries()) {
        if (rows.some((row) => passes(row, filter) === true))
          expect(
            planned,
            JSON.stringify(filter, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
          ).toContain(files[index]!.filePath);
      }
    }
    expect(left).toBeGreaterThan(files.length * PREDICATES.length * 0.15);
  },
);

/** Rows of one partition each, a few to a file. */
function groupRows(table: Table, schema: Schema): Row[][] {
  const groups = new Map<string, Row[]>();
  for (let seed = 0; seed < 240; seed++) {
    const row = rowOf(seed);
    const key = JSON.stringify([...(fileOf(table, 0, [row]).partition ?? [])], (_, v) =>
      typeof v === 'bigint' || Number.isNaN(v) ? `${v}` : v,
    );
    const full = `${key}${schema.fields.length > 0 && table.metadata['partition-specs'][0]?.fields.length === 0 ? Math.floor(seed / 6) : ''}`;
    groups.set(full, [...(groups.get(full) ?? []), row]);
  }
  return [...groups.values()];
}

describe('a filter', () => {
  test('that cannot be meant is refused', async () => {
    await using warehouse = await openWarehouse();
    await warehouse.catalog.createTable(ORDERS, { schema: SCHEMA });
    const table = await commitTable(warehouse.catalog, ORDERS, (fresh) =>
      stageSnapshot(fresh, { append: [dataFile('a')] }),
    );
    const plan = (filter: Predicate) => Array.fromAsync(planFiles(table, { filter }));
    await expect(plan({ op: '=', column: 'gone', value: 1n })).rejects.toThrow(/no column "gone"/);
    await expect(plan({ op: '=', column: 'id', value: 'x' })).rejects.toThrow(/compared with another type/);
    await expect(plan({ op: '=', column: 'id', value: 1.5 })).rejects.toThrow(/compared with/);
    await expect(plan({ op: 'starts-with', column: 'id', value: 1n })).rejects.toThrow(/no beginning/);
    expect(await plan({ op: '=', column: 'id', value: 1 })).toHaveLength(1);
  });
});
