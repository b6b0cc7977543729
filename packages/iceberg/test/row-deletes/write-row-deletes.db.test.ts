import { readWithDuckDB, readWithPyIceberg } from '@fjord/test-harness';
import { Int64, Utf8 } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import {
  type Catalog,
  commitTable,
  planFiles,
  PositionSet,
  readDeletionVector,
  stageSnapshot,
  type Table,
  writeRowDeletes,
} from '../../src/index.ts';
import { writeParquet } from '../parquet-file.ts';
import { openWarehouse, ORDER_SCHEMA, ORDERS, reload } from '../warehouse.ts';

describe.each([2, 3] as const)('format version %i', (formatVersion) => {
  test('rows deleted by position are gone for PyIceberg and DuckDB, round after round', async () => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    await catalog.createTable(ORDERS, {
      schema: ORDER_SCHEMA,
      properties: { 'format-version': String(formatVersion) },
    });
    await appendFile(catalog, 'a', [1n, 2n, 3n, 4n]);
    await appendFile(catalog, 'b', [5n, 6n, 7n]);

    await deleteRows(catalog, { a: [0], b: [2] });
    expect(await readIds(await reload(catalog))).toEqual(['2', '3', '4', '5', '6']);
    await deleteRows(catalog, { a: [1, 3] });
    expect(await readIds(await reload(catalog))).toEqual(['3', '5', '6']);
  });

  test('each data file has one deletion vector, of all its deleted rows, from version 3 on', async () => {
    await using warehouse = await openWarehouse();
    const { catalog } = warehouse;
    await catalog.createTable(ORDERS, {
      schema: ORDER_SCHEMA,
      properties: { 'format-version': String(formatVersion) },
    });
    await appendFile(catalog, 'a', [1n, 2n, 3n, 4n]);
    await deleteRows(catalog, { a: [0] });
    await deleteRows(catalog, { a: [2] });

    const table = await reload(catalog);
    const [planned] = await Array.fromAsync(planFiles(table));
    const formats = planned?.deletes.map(({ fileFormat }) => fileFormat);
    expect(formats).toEqual(formatVersion === 3 ? ['PUFFIN'] : ['PARQUET', 'PARQUET']);
    const [vector] = planned?.deletes ?? [];
    if (formatVersion === 3 && vector) expect([...(await readDeletionVector(table.io, vector))]).toEqual([0, 2]);
  });
});

test('a deletion vector that is damaged is refused', async () => {
  await using warehouse = await openWarehouse();
  const { catalog } = warehouse;
  await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA, properties: { 'format-version': '3' } });
  await appendFile(catalog, 'a', [1n, 2n]);
  await deleteRows(catalog, { a: [0] });
  const table = await reload(catalog);
  const [planned] = await Array.fromAsync(planFiles(table));
  const vector = planned!.deletes[0]!;
  const bytes = Buffer.from(await table.io.read(vector.filePath));
  bytes[20]! ^= 1;
  expect(vector.fileFormat).toBe('PUFFIN');
  await table.io.delete(vector.filePath);
  await table.io.write(vector.filePath, bytes);
  await expect(readDeletionVector(table.io, vector)).rejects.toThrow(`in ${vector.filePath} is damaged.`);
});

async function appendFile(catalog: Catalog, name: string, ids: bigint[]): Promise<void> {
  const file = await writeParquet(await reload(catalog), name, [
    { id: 1, name: 'id', type: new Int64(), values: ids },
    { id: 2, name: 'name', type: new Utf8(), values: ids.map((id) => `order ${id}`) },
  ]);
  await commitTable(catalog, ORDERS, (table) => stageSnapshot(table, { append: [file] }));
}

/** Deletes rows by their positions in the files of the given names. */
async function deleteRows(catalog: Catalog, rows: Record<string, number[]>): Promise<void> {
  await commitTable(catalog, ORDERS, async (table) => {
    const planned = await Array.fromAsync(planFiles(table));
    const deletes = Object.entries(rows).map(([name, positions]) => {
      const scanFile = planned.find(({ file }) => file.filePath.endsWith(`/${name}.parquet`));
      if (!scanFile) throw new Error(`no file ${name}`);
      return { scanFile, positions: PositionSet.of(positions) };
    });
    const { append, remove } = await writeRowDeletes(table, deletes);
    return stageSnapshot(table, { append, remove: { deletes: remove } });
  });
}

/** The ids that both readers find, which must be the same. */
async function readIds(table: Table): Promise<unknown[]> {
  const { metadataLocation } = table;
  const [pyIceberg, duckDB] = await Promise.all([
    readWithPyIceberg({ metadataLocation }),
    readWithDuckDB({ metadataLocation }),
  ]);
  const ids = ({ rows }: { rows: unknown[][] }) =>
    rows.map(([id]) => String(id)).toSorted((a, b) => Number(a) - Number(b));
  expect(ids(duckDB)).toEqual(ids(pyIceberg));
  return ids(pyIceberg);
}
