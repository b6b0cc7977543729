import { expect, test } from 'vitest';
import {
  readWithDuckDB,
  readWithPostgres,
  readWithPyIceberg,
  runPython,
  startPostgres,
  startS3,
  temporaryFolder,
} from '../src/index.ts';

const WRITE_TABLE = new URL('write_table.py', import.meta.url).pathname;

// The same rows as write_table.py writes with PyIceberg.
const SAME_IN_POSTGRES = `
  SELECT b, i, l, f, d, n::numeric(18,4), dt, t, ts, tz, s, u, bin, li, ls FROM (VALUES
    (true, 2147483647, 9223372036854775807, 0.1::real, 'NaN'::float8, 99999999999999.9999, '0001-01-01'::date,
     '23:59:59.999999'::time, '0001-01-01 00:00:00'::timestamp, '1970-01-01 00:00:00+00'::timestamptz,
     'a"b\\c,{}é😀', '00000000-0000-0000-0000-000000000005'::uuid, '\\x00ff'::bytea,
     ARRAY[1, NULL, 4611686018427387904], ARRAY['', 'NULL', NULL, 'a"\\,{}']),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (false, -2147483648, -9223372036854775808, 3.4028235e38, 1e15, 0, '9999-12-31', '00:00', '9999-12-31 23:59:59.999999',
     '2024-02-29 12:34:56.5+02', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '', '{}', '{}'),
    (false, 0, 0, '-0', 123456.78, -0.0001, '2000-02-29', '12:00:00.5', '1969-12-31 23:59:59.999999',
     '1969-12-31 23:59:59.999999+00', ' ', '12345678-9abc-def0-1234-56789abcdef0', '\\x01', '{-1}', '{x}'),
    (true, 1, 1, 1e-45, 5e-324, 1.5, '1970-01-01', '00:00:01', '2024-01-01', '2024-01-01Z', 'NULL',
     '00000000-0000-0000-0000-000000000000', '\\x00', NULL, NULL),
    (true, 1, 1, 1e6, '-Infinity', 1.5, '1970-01-01', '00:00:01', '2024-01-01', '2024-01-01Z', 'NULL',
     '00000000-0000-0000-0000-000000000000', '\\x00', NULL, NULL)
  ) AS sample (b, i, l, f, d, n, dt, t, ts, tz, s, u, bin, li, ls)`;

test('PyIceberg, DuckDB and PostgreSQL give the same text for the same values', async () => {
  await using folder = await temporaryFolder();
  await using server = await startPostgres();
  const expected = await readWithPostgres(server, SAME_IN_POSTGRES);
  const { stdout } = await runPython(WRITE_TABLE, [`file://${folder.path}`, folder.path]);
  const metadataLocation = stdout.trim();
  const catalogUri = `sqlite:///${folder.path}/catalog.db`;
  const byCatalog = await readWithPyIceberg({ catalogUri, catalogName: 'main', table: ['shop', 'sample'] });
  const byFile = await readWithPyIceberg({ metadataLocation });
  const duckdb = await readWithDuckDB({ metadataLocation });
  expect(byFile.rows).toEqual(expected.rows);
  expect(byCatalog).toEqual(byFile);
  expect(duckdb.rows).toEqual(expected.rows);
  expect(byFile.columns.slice(5, 7)).toEqual([
    { name: 'n', type: 'decimal(18, 4)' },
    { name: 'dt', type: 'date' },
  ]);
  expect(expected.columns[5]).toEqual({ name: 'n', type: 'numeric(18,4)' });
});

test('both readers read a table in S3, and DuckDB answers SQL about it', async () => {
  await using folder = await temporaryFolder();
  await using s3 = await startS3();
  const env = {
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_KEY: s3.accessKeyId,
    S3_SECRET: s3.secretAccessKey,
  };
  const { stdout } = await runPython(WRITE_TABLE, [`s3://${s3.bucket}/lake`, folder.path], { env });
  const metadataLocation = stdout.trim();
  expect(metadataLocation).toMatch(/^s3:\/\/warehouse\/lake\//);
  const some = await readWithPyIceberg({ metadataLocation, s3, columns: ['i', 's'], filter: 'i > 1' });
  expect(some).toEqual({
    columns: [
      { name: 'i', type: 'int' },
      { name: 's', type: 'string' },
    ],
    rows: [['2147483647', 'a"b\\c,{}é😀']],
  });
  const sql = 'SELECT count(*) AS rows, max(l) AS largest FROM lake';
  expect(await readWithDuckDB({ metadataLocation, s3, sql })).toEqual({
    columns: [
      { name: 'rows', type: 'BIGINT' },
      { name: 'largest', type: 'BIGINT' },
    ],
    rows: [['6', '9223372036854775807']],
  });
});
