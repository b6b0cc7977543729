import type { SelectedStream } from '@fjord/core';
import { RowSums } from '@fjord/core/apache-arrow';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { RecordBatchReader } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TYPE_VECTORS, typesTable } from '../../../test-harness/test/e2e/type-vectors.ts';
import type { Config } from '../src/config.ts';
import type { PostgresDatabase } from '../src/database.ts';
import { chunkRequest, openDatabase, planRequest, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  for (const statement of typesTable()) await server.query(statement);
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** What the server sums, and what is summed of the rows as they are copied. */
async function sumBoth(database: PostgresDatabase, stream: SelectedStream, list?: number[]) {
  const plan = await database.planChunks(stream, planRequest(1e9));
  const sums = { ranges: 4, ...(list && { list }) };
  const { snapshot, maxStatementSeconds, units } = chunkRequest(stream, plan);
  const columns = stream.columns.map(({ name }) => name);
  const request = { stream, plan, units, snapshot, maxStatementSeconds, columns, key: stream.primaryKey, sums };
  const server = await database.sumRows(request);
  const read = new RowSums(stream, sums);
  for await (const item of database.readChunk(chunkRequest(stream, plan))) {
    if (!('body' in item)) continue;
    for (const batch of RecordBatchReader.from(Buffer.concat(item.body)))
      read.add({ length: batch.numRows, columns: batch.data.children });
  }
  return { server, read };
}

const sorted = (sums: RowSums['ranges']) => sums.toSorted((a, b) => a.range - b.range);

test.each(['null', 'clamp'] as const)(
  'the server sums every column that it renders as we do, at its boundaries (%s)',
  async (unrepresentable: Config['unrepresentable']) => {
    await using first = openDatabase(server, { unrepresentable });
    const all = await selectNamed(first, 'public.types');
    const read: string[] = [];
    for (const column of all.columns) {
      const stream = { ...all, columns: all.columns.filter(({ name }) => name === 'id' || name === column.name) };
      // A connection remembers the columns of a stream.
      await using database = openDatabase(server, { unrepresentable });
      const both = await sumBoth(database, stream);
      if ('whyNot' in both.server) {
        expect(both.server.whyNot).toContain(column.name);
        read.push(column.name);
      } else expect.soft(sorted(both.server.ranges), column.name).toEqual(both.read.ranges);
    }
    const nested = TYPE_VECTORS.filter(({ becomes }) => /^(list|map|struct)/.test(becomes)).map(({ name }) => name);
    expect(read).toEqual(expect.arrayContaining(nested));
    expect(read.length).toBeLessThan(all.columns.length / 2);
  },
);

test('rows of any key are listed alike, text in the encoding of the database included', async () => {
  await server.query(`CREATE DATABASE western ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  await server.query(
    `CREATE TABLE t (a text, b char(4), c timestamptz, d numeric(9,3), e bytea, f float8, g bool, h uuid, v text,
       PRIMARY KEY (a, b, c, d, e, f, g, h))`,
    [],
    'western',
  );
  await server.query(
    `INSERT INTO t SELECT 'é|' || g, 'ü' || g % 9, to_timestamp(g * 1e5 / 7), g / 7.0, decode(lpad(to_hex(g), 8, '0'), 'hex'),
       g / 3.0, g % 2 = 0, md5(g::text)::uuid, CASE WHEN g % 3 > 0 THEN repeat('ß:"\\', g % 5) END FROM generate_series(1, 200) g`,
    [],
    'western',
  );
  await using database = openDatabase(server, { database: 'western' });
  const stream = await selectNamed(database, 'public.t');
  const whole = await sumBoth(database, stream);
  expect('ranges' in whole.server && sorted(whole.server.ranges)).toEqual(whole.read.ranges);
  const { server: found, read } = await sumBoth(database, stream, [1, 3]);
  const texts = (rows: RowSums['listed']) => rows.map((row) => JSON.stringify(row)).toSorted();
  expect(read.listed.length).toBeGreaterThan(20);
  expect('listed' in found && texts(found.listed)).toEqual(texts(read.listed));
});
