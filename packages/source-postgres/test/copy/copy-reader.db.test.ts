import type { ColumnType } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { type PostgresServer, runPython, startPostgres, startTcpProxy, temporaryFolder } from '@fjord/test-harness';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/connection.ts';
import type { CopyColumn } from '../../src/copy/copy-column.ts';
import { type CopyRequest, readCopy } from '../../src/copy/copy-reader.ts';
import type { ScalarWire, Wire } from '../../src/copy/wire.ts';
import { configFor } from '../postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const column = (name: string, wire: Wire, type: ColumnType): CopyColumn => ({
  name,
  type,
  wire,
  nullable: true,
  isKey: false,
});
const listColumn = (name: string, element: Wire, type: ColumnType): CopyColumn =>
  column(name, { kind: 'array', element, dimensions: 1, isRebuilt: false }, { type: 'list', element: type });
const ID = [column('id', 'int8', 'long')];
const request = (query: string, columns: CopyColumn[], changes: Partial<CopyRequest> = {}): CopyRequest => ({
  sql: `COPY (${query}) TO STDOUT (FORMAT binary)`,
  columns,
  stream: 'public.t',
  unrepresentable: 'null',
  batchBytes: 1 << 20,
  silenceLimitMs: undefined,
  signal: new AbortController().signal,
  ...changes,
});

async function readAll(client: Client, copy: CopyRequest): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for await (const { body } of readCopy(client, copy)) rows.push(...batchToRecords(body, [...copy.columns]));
  return rows;
}

const catchError = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A column of every wire type, the SQL of its values, and the expression that prints one as JSON form. */
const TYPES: { wire: ScalarWire; type: ColumnType; sql: string; values: string[]; text: string }[] = [
  { wire: 'bool', type: 'boolean', sql: 'bool', values: ['true', 'false'], text: 'v::text' },
  { wire: 'int2', type: 'int', sql: 'int2', values: ["'-32768'", '0', '32767'], text: 'v::text' },
  { wire: 'int4', type: 'int', sql: 'int4', values: ["'-2147483648'", '-1', '2147483647'], text: 'v::text' },
  {
    wire: 'int8',
    type: 'long',
    sql: 'int8',
    values: ["'-9223372036854775808'", '-1', '4294967296', '9223372036854775807'],
    text: 'v::text',
  },
  { wire: 'oid', type: 'long', sql: 'oid', values: ['0', "'4294967295'"], text: 'v::text' },
  {
    wire: 'date',
    type: 'date',
    sql: 'date',
    values: ["'0001-01-01'", "'1969-12-31'", "'2024-02-29'", "'9999-12-31'"],
    text: 'v::text',
  },
  {
    wire: 'time',
    type: 'time',
    sql: 'time',
    values: ["'00:00'", "'12:34:56.123456'", "'23:59:59.999999'"],
    text: "to_char(v, 'HH24:MI:SS.US')",
  },
  {
    wire: 'timestamp',
    type: 'timestamp',
    sql: 'timestamp',
    values: [
      "'0001-01-01'",
      "'1999-12-31 23:59:59.999999'",
      "'2024-02-29 12:34:56.000001'",
      "'9999-12-31 23:59:59.999999'",
    ],
    text: `to_char(v, 'YYYY-MM-DD"T"HH24:MI:SS.US')`,
  },
  {
    wire: 'timestamptz',
    type: 'timestamptz',
    sql: 'timestamptz',
    values: ["'0001-01-01 00:00Z'", "'2024-02-29 12:34:56.5+05:30'", "'9999-12-31 23:59:59.999999Z'"],
    text: `to_char(v AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  },
  { wire: 'uuid', type: 'uuid', sql: 'uuid', values: ["'01234567-89ab-cdef-0123-456789abcdef'"], text: 'v::text' },
  { wire: 'bytea', type: 'binary', sql: 'bytea', values: ["''", String.raw`'\x00ff10'`], text: "encode(v, 'base64')" },
  { wire: 'text', type: 'string', sql: 'varchar(40)', values: ["''", "'Größe 😀'"], text: 'v::text' },
  { wire: 'text', type: 'string', sql: 'char(5)', values: ["'ab'"], text: 'rpad(v::text, 5)' },
  { wire: 'jsonb', type: 'string', sql: 'jsonb', values: [`'{"a": [1, null]}'`, "'null'"], text: 'v::text' },
  ...[
    [9, 2],
    [18, 6],
    [20, 0],
    [38, 0],
    [38, 10],
    [38, 38],
    [5, 5],
  ].map(([precision = 0, scale = 0]) => ({
    wire: 'numeric' as const,
    type: `decimal(${precision},${scale})`,
    sql: `numeric(${precision},${scale})`,
    values: decimals(precision, scale),
    text: 'v::text',
  })),
];

/** The least and the greatest decimals, and every number of digits between. */
function decimals(precision: number, scale: number): string[] {
  return Array.from({ length: precision + 1 }, (_, digits) =>
    ['9', '1', '10000', '50003'].map((pattern) => pattern.repeat(38).slice(0, digits)),
  )
    .flat()
    .flatMap((digits) => [`${digits || '0'}e-${scale}`, `-${digits || '0'}e-${scale}`])
    .map((text) => `'${text}'`);
}

describe('values', () => {
  test.each(TYPES)('$sql reads as PostgreSQL prints it', async ({ wire, type, sql, values, text }) => {
    const client = await server.client();
    const table = `(VALUES ${values.map((value, row) => `(${row}, ${value}::${sql})`).join(', ')}, (${values.length}, NULL)) AS t (k, v)`;
    const [expected] = await server.query<{ rows: (string | null)[] }>(
      `SELECT array_agg(${text} ORDER BY k) AS rows FROM ${table}`,
    );
    const rows = await readAll(client, request(`SELECT v FROM ${table} ORDER BY k`, [column('v', wire, type)]));
    expect(rows.map(({ v }) => (v === null ? null : `${v as string}`))).toEqual(expected?.rows);
    const list = listColumn('v', wire, type);
    const lists = await readAll(client, request(`SELECT array_agg(v ORDER BY k) FROM ${table}`, [list]));
    expect(lists).toEqual([{ v: rows.map(({ v }) => v) }]);
  });

  test.each<[string, ScalarWire, ColumnType, number]>([
    ['float4', 'float4', 'float', 4],
    ['float8', 'float8', 'double', 8],
  ])('%s keeps its bits', async (sql, wire, type, width) => {
    const client = await server.client();
    const texts = ['NaN', 'Infinity', '-Infinity', '-0', '0.1', '1e-37', '3.4e38'];
    const values = texts.map((text, row) => `(${row}, '${text}'::${sql})`).join(', ');
    const rows = await readAll(
      client,
      request(`SELECT v FROM (VALUES ${values}) AS t (k, v) ORDER BY k`, [column('v', wire, type)]),
    );
    const round = width === 4 ? Math.fround : Number;
    expect(rows.map(({ v }) => Number(v))).toEqual(texts.map((text) => round(Number(text))));
  });

  test('PyArrow accepts the batches and reads the same values', async () => {
    await using folder = await temporaryFolder('fjord-copy');
    const columns = TYPES.flatMap(({ wire, type }, index) => [
      column(`c${index}`, wire, type),
      listColumn(`l${index}`, wire, type),
    ]);
    const cells = TYPES.flatMap(({ sql, values }) => [`${values[0]}::${sql}`, `ARRAY[${values[0]}, NULL]::${sql}[]`]);
    const nulls = columns.map(() => 'NULL').join(', ');
    const client = await server.client();
    const copy = request(`SELECT ${cells.join(', ')} UNION ALL SELECT ${nulls}`, columns);
    const bodies: Uint8Array[] = [];
    for await (const { body } of readCopy(client, copy)) bodies.push(...body);
    const file = path.join(folder.path, 'batch.arrows');
    await writeFile(file, Buffer.concat(bodies));
    const { stdout } = await runPython(PRINT_BATCH, [file]);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe(`2 rows, ${columns.length} columns`);
    expect(lines.slice(1)).toEqual([
      'c0 True None',
      'c3 -9223372036854775808 None',
      'c5 0001-01-01 None',
      'l5 [datetime.date(1, 1, 1), None] None',
    ]);
  });
});

const PRINT_BATCH = `
import sys, pyarrow as pa
table = pa.ipc.open_stream(sys.argv[1]).read_all()
table.validate(full=True)
print(f"{table.num_rows} rows, {table.num_columns} columns")
for name in ["c0", "c3", "c5", "l5"]:
    print(name, *table[name].to_pylist())
`;

describe('connections', () => {
  test('many rows arrive once each, in batches of bounded size', async () => {
    const client = await server.client();
    let next = 0n;
    const copy = request('SELECT g::int8 FROM generate_series(0, 299999) AS g', ID, { batchBytes: 1 << 18 });
    for await (const { rows, body } of readCopy(client, copy)) {
      expect(body[0]?.byteLength).toBeLessThan(1 << 20);
      for (const { id } of batchToRecords(body, ID)) expect(BigInt(String(id))).toBe(next++);
      expect(rows).toBeGreaterThan(0);
    }
    expect(next).toBe(300_000n);
  });

  test('a connection is used for 1,000 COPYs and queries between them, and gathers no listeners', async () => {
    await using connection = await connect(configFor(server));
    const { client } = connection;
    const { stream } = (client as unknown as { connection: { stream: NodeJS.ReadableStream } }).connection;
    const count = () => stream.eventNames().map((name) => [name, stream.listenerCount(name)]);
    await readAll(client, request('SELECT 1::int8', ID));
    const before = count();
    for (let turn = 0; turn < 1000; turn++) {
      expect(await readAll(client, request(`SELECT ${turn}::int8`, ID))).toEqual([{ id: String(turn) }]);
    }
    expect(await connection.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(count()).toEqual(before);
  });

  test('an error of the server carries its SQLSTATE and leaves the connection usable', async () => {
    const client = await server.client();
    const broken = readAll(
      client,
      request('SELECT 1 / (g - 50000) FROM generate_series(1, 100000) AS g', [column('id', 'int4', 'int')]),
    );
    expect(await catchError(broken)).toMatchObject({ code: '22012', severity: 'ERROR' });
    expect(await readAll(client, request('SELECT 7::int8', ID))).toEqual([{ id: '7' }]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  // In FROM the server would make all rows before it sends the first.
  const ENDLESS = 'SELECT generate_series(1, 100000000)::int8';

  // A server that waits for us to read cannot say why it ends (it may be in mid-message); one that is at work can.
  test('an end of the session names its reason', async () => {
    await using connection = await connect(configFor(server));
    const { client } = connection;
    const [{ pid } = { pid: 0 }] = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    const error = catchError(readAll(client, request('SELECT 1::int8 FROM pg_sleep(60)', ID)));
    await expect
      .poll(() => server.query('SELECT wait_event FROM pg_stat_activity WHERE pid = $1', [pid]))
      .toEqual([{ wait_event: 'PgSleep' }]);
    await server.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(await error).toMatchObject({ code: '57P01' });
  });

  test('an end of the session while the server sends is a lost connection', async () => {
    await using connection = await connect(configFor(server));
    const { client } = connection;
    const [{ pid } = { pid: 0 }] = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    let batches = 0;
    const read = async () => {
      for await (const { rows } of readCopy(client, request(ENDLESS, ID))) {
        if (batches++ === 0 && rows > 0) await server.query('SELECT pg_terminate_backend($1)', [pid]);
      }
    };
    expect(connection.explain(await catchError(read())).code).toBe('source_connection_lost');
  });

  test('a killed server is a lost connection', async () => {
    await using own = await startPostgres();
    await using connection = await connect(configFor(own));
    let batches = 0;
    const read = async () => {
      for await (const { rows } of readCopy(connection.client, request(ENDLESS, ID))) {
        if (batches++ === 0 && rows > 0) await own.kill();
      }
    };
    expect(connection.explain(await catchError(read())).code).toBe('source_connection_lost');
  });

  test('an abort ends it with its reason, and the server stops', async () => {
    await using connection = await connect(configFor(server));
    const abort = new AbortController();
    const reason = new Error('enough');
    const read = async () => {
      for await (const { rows } of readCopy(connection.client, request(ENDLESS, ID, { signal: abort.signal }))) {
        if (rows > 0) abort.abort(reason);
      }
    };
    expect(await catchError(read())).toBe(reason);
    await expect
      .poll(async () => server.query("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%'"))
      .toEqual([]);
  });

  const SILENT = {
    code: 'source_connection_lost',
    message: expect.stringMatching(
      /^The connection to 127\.0\.0\.1:\d+ was given up: the server said nothing for \d+ seconds\.$/,
    ),
  };

  test('a network that keeps the connection and passes nothing on is a lost connection, in mid-COPY and at a query', async () => {
    await using proxy = await startTcpProxy(server);
    await using copying = await connect(configFor(server, { port: proxy.port }));
    await using asking = await connect(configFor(server, { port: proxy.port }));
    const read = async () => {
      for await (const { rows } of readCopy(copying.client, request(ENDLESS, ID, { silenceLimitMs: 500 }))) {
        if (rows > 0) proxy.stall();
      }
    };
    expect(copying.explain(await catchError(read()))).toMatchObject(SILENT);
    asking.silenceLimitMs = 500;
    await expect(asking.query('SELECT 1')).rejects.toMatchObject(SILENT);
    expect(asking.isOpen).toBe(false);
  });

  test('a server that is at work, or waits for us, may be silent as long as it was given', async () => {
    await using connection = await connect(configFor(server));
    const limited = { silenceLimitMs: 1_000 };
    // Each row fills the server's buffer and is a sign of life, though no batch is full before all are there.
    const slow = "SELECT repeat('x', 20000) || pg_sleep(0.4)::text FROM generate_series(1, 4)";
    const text = [column('text', 'text', 'string')];
    expect(await readAll(connection.client, request(slow, text, limited))).toHaveLength(4);
    const batches = readCopy(connection.client, request('SELECT generate_series(1, 300000)::int8', ID, limited));
    let { value: batch } = await batches.next();
    await server.query('SELECT pg_sleep(1.2)');
    let rows = 0;
    for (; batch; { value: batch } = await batches.next()) rows += batch.rows;
    expect(rows).toBe(300_000);
    expect(await connection.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('the socket waits while nobody takes batches', async () => {
    await using connection = await connect(configFor(server));
    const { stream } = (connection.client as unknown as { connection: { stream: { bytesRead: number } } }).connection;
    const batches = readCopy(connection.client, request(ENDLESS, ID));
    await batches.next();
    const [first] = [stream.bytesRead, await server.query('SELECT pg_sleep(0.2)')];
    expect(stream.bytesRead).toBe(first);
    await batches.return(undefined);
  });
});
