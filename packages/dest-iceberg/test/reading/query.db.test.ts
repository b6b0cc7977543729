import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { SelectedStream } from '@fjord/core';
import {
  commitTable,
  createSchema,
  type DataFile,
  openSqlCatalog,
  planFiles,
  PositionSet,
  stageSnapshot,
  type Table,
  type TableIdentifier,
  writeRowDeletes,
} from '@fjord/iceberg';
import { readWithPyIceberg, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import destination from '../../src/index.ts';
import { inspectTables } from '../../src/reading/inspect-tables.ts';
import { runQuery } from '../../src/reading/query.ts';

const ORDERS: TableIdentifier = { namespace: ['shop'], name: 'orders' };
const SIGNAL = new AbortController().signal;

test.each([2, 3] as const)('a query sees no deleted row of a version %i table', async (formatVersion) => {
  await using lake = await openLake();
  await lake.create({ 'format-version': String(formatVersion) });
  await lake.append('a', "SELECT i::BIGINT AS id, 'o' || i AS name FROM range(1, 5) t(i)");
  await lake.append('b', "SELECT i::BIGINT AS id, 'o' || i AS name FROM range(5, 8) t(i)");
  await lake.deleteRows({ a: [0, 3], b: [2] });
  const rows = await lake.rows('SELECT id, name FROM shop.orders ORDER BY id');
  expect(rows).toEqual([
    ['2', 'o2'],
    ['3', 'o3'],
    ['5', 'o5'],
    ['6', 'o6'],
  ]);
  expect(await lake.pyIcebergIds()).toEqual([2, 3, 5, 6]);
  const [told] = await Array.fromAsync(inspectTables(lake.request));
  expect(told?.contents).toMatchObject({
    format: `Iceberg v${formatVersion}`,
    columns: [
      { name: 'id', type: 'long', nullable: false },
      { name: 'name', type: 'string', nullable: true },
    ],
    files: { count: 2, rows: 7, deletedPositions: 3, deletedKeys: 0 },
    snapshots: [{ operation: 'overwrite' }, { operation: 'append' }, { operation: 'append' }],
    health: [{ message: expect.stringContaining('43 % of the rows') as string }],
  });
});

test('equality deletes hit older rows only, and null equals null', async () => {
  await using lake = await openLake();
  await lake.create({});
  await lake.append('a', "SELECT i::BIGINT AS id, CASE WHEN i < 3 THEN 'x' END AS name FROM range(1, 5) t(i)");
  await lake.append('gone', 'SELECT NULL::VARCHAR AS name, 2::BIGINT AS id', { equalityIds: [2] });
  await lake.append('key', 'SELECT 1::BIGINT AS id', { equalityIds: [1] });
  await lake.append('c', 'SELECT i::BIGINT AS id, NULL::VARCHAR AS name FROM range(1, 2) t(i)');
  expect(await lake.rows('SELECT id, name FROM orders ORDER BY id')).toEqual([
    ['1', null],
    ['2', 'x'],
  ]);
});

test('files are read by field id: renamed, added and widened columns', async () => {
  await using lake = await openLake();
  await lake.create({}, 'int');
  await lake.append('a', "SELECT 1::INTEGER AS id, 'one' AS name");
  await commitTable(lake.catalog, ORDERS, ({ metadata }) => ({
    requirements: [],
    updates: [
      {
        action: 'add-schema',
        schema: {
          ...metadata.schemas[0]!,
          'schema-id': 1,
          fields: [
            { id: 1, name: 'id', required: true, type: 'long' },
            { id: 2, name: 'label', required: false, type: 'string' },
            { id: 3, name: 'it"s', required: false, type: 'decimal(20, 2)' },
          ],
        },
      },
      { action: 'set-current-schema', 'schema-id': -1 },
    ],
  }));
  await lake.append('b', `SELECT 9007199254740993::BIGINT AS id, 'two' AS label, 1.50::DECIMAL(20, 2) AS "it""s"`);
  expect(await lake.rows('SELECT * FROM shop.orders ORDER BY id')).toEqual([
    ['1', 'one', null],
    ['9007199254740993', 'two', '1.50'],
  ]);
});

test('a table without rows has its columns, one that is not there has none', async () => {
  await using lake = await openLake();
  await expect(lake.rows('SELECT * FROM shop.orders')).rejects.toThrow('DuckDB refuses the query');
  await lake.create({});
  expect(await lake.rows('SELECT count(*), max(id) FROM shop.orders')).toEqual([['0', null]]);
});

test('values are exact: 64-bit and decimal numbers as text, floats by their shortest digits', async () => {
  await using lake = await openLake();
  const [row] = await lake.rows(
    "SELECT 9223372036854775807, 0.1::FLOAT, 1e300, 'NaN'::DOUBLE, 12.340, INTERVAL 90 MINUTE, {'a': [1, NULL]}, MAP {'k': 2}, TIMESTAMPTZ '2025-06-01 12:00:00+02', '\\x00z'::BLOB, ''",
  );
  expect(row).toEqual([
    '9223372036854775807',
    0.1,
    1e300,
    'NaN',
    '12.340',
    '01:30:00',
    { a: [1, null] },
    [{ key: 'k', value: 2 }],
    '2025-06-01 10:00:00+00',
    '\\x00z',
    '',
  ]);
});

/** A warehouse of one table, files made by DuckDB. */
async function openLake() {
  const folder = await temporaryFolder();
  // What DuckDB takes for a pattern is part of a name here.
  const warehouse = path.join(folder.path, 'la[k]e');
  await mkdir(warehouse);
  const catalog = await openSqlCatalog({ uri: `sqlite:///${warehouse}/catalog.db`, name: 'fjord', warehouse });
  const connection = await (await DuckDBInstance.create()).connect();
  const stream: SelectedStream = {
    stream: 'public.orders',
    namespace: 'public',
    name: 'orders',
    columns: [],
    primaryKey: [],
    writeMode: 'append',
    target: { namespace: ['shop'], name: 'orders' },
  };
  const config = destination.config;
  const request = {
    config: { ...defaultsOf(config), warehouse },
    pipeline: 'p',
    streams: [stream],
    memoryBytes: 256 * 2 ** 20,
  };
  const load = async (): Promise<Table> => (await catalog.loadTable(ORDERS))!;
  return {
    catalog,
    request,
    async create(properties: Record<string, string>, idType: 'int' | 'long' = 'long') {
      await catalog.createNamespace(['shop']);
      const schema = createSchema([
        { name: 'id', type: idType, required: true },
        { name: 'name', type: 'string' },
      ]);
      await catalog.createTable(ORDERS, { schema, properties });
    },
    /** Appends the rows of a SELECT as a file, or the keys that it gives as equality deletes. */
    async append(name: string, select: string, { equalityIds }: { equalityIds?: number[] } = {}) {
      const table = await load();
      const schema = table.metadata.schemas.at(-1)!;
      const file = path.join(warehouse, `day=${name}.parquet`);
      const { rows, columns } = await copy(connection, select, { file, ids: schema.fields });
      const data: DataFile = {
        ...(equalityIds && { content: 'equality-deletes', equalityIds }),
        filePath: `file://${file}`,
        fileFormat: 'PARQUET',
        recordCount: BigInt(rows),
        fileSizeInBytes: 1000n,
      };
      expect(columns).toBeGreaterThan(0);
      await commitTable(catalog, ORDERS, (fresh) => stageSnapshot(fresh, { append: [data] }));
    },
    async deleteRows(positions: Record<string, number[]>) {
      await commitTable(catalog, ORDERS, async (table) => {
        const planned = await Array.fromAsync(planFiles(table));
        const deletes = Object.entries(positions).map(([name, list]) => ({
          scanFile: planned.find(({ file }) => file.filePath.endsWith(`=${name}.parquet`))!,
          positions: PositionSet.of(list),
        }));
        const { append, remove } = await writeRowDeletes(table, deletes);
        return stageSnapshot(table, { append, remove: { deletes: remove } });
      });
    },
    async rows(sql: string): Promise<unknown[][]> {
      const messages = await Array.fromAsync(runQuery({ ...request, sql }, { signal: SIGNAL }));
      return messages.flatMap((message) => (message.type === 'ROWS' ? message.rows : []));
    },
    async pyIcebergIds(): Promise<number[]> {
      const { rows } = await readWithPyIceberg({ metadataLocation: (await load()).metadataLocation, columns: ['id'] });
      return rows.map(([id]) => Number(id)).toSorted((a, b) => a - b);
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      await catalog[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function defaultsOf(schema: typeof destination.config) {
  const entries = Object.entries(schema.properties).filter(([, property]) => 'default' in property);
  return Object.fromEntries(entries.map(([name, property]) => [name, property.default])) as {
    targetFileMB: number;
  } & Parameters<typeof inspectTables>[0]['config'];
}

async function copy(
  connection: Awaited<ReturnType<DuckDBInstance['connect']>>,
  select: string,
  { file, ids }: { file: string; ids: readonly { id: number; name: string }[] },
) {
  const result = await connection.runAndReadAll(select);
  const known = result.columnNames().map((name) => {
    const id = ids.find((field) => field.name === name)?.id;
    return `"${name.replaceAll('"', '""')}": ${id}`;
  });
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet, FIELD_IDS {${known.join(', ')}})`);
  return { rows: result.currentRowCount, columns: known.length };
}
