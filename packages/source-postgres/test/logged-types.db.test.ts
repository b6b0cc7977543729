import type { SelectedStream } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { type PostgresServer, startPostgres } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../src/connection.ts';
import { chooseFormat, type LogFormat } from '../src/log-format.ts';
import { followToHead, following } from './change-fixture.ts';
import { chunkRequest, configFor, openDatabase, planRequest, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.query(`CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree;
    CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
    CREATE TYPE inner_pair AS (a int, b text);
    CREATE TYPE pair AS (number numeric(10, 2), inside inner_pair, list int[]);
    CREATE TYPE printed_pair AS (span interval, name text);
    CREATE DOMAIN positive AS int CHECK (value > 0)`);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Types with values of each; what is not printed by the server comes in either format. */
const TYPES: [type: string, values: string[]][] = [
  ['bool', ['true', 'false']],
  ['int2', [`'-32768'`, '32767']],
  ['int4', [`'-2147483648'`, '2147483647']],
  ['int8', [`'-9223372036854775808'`, `'9223372036854775807'`]],
  ['oid', ['0', `'4294967295'`]],
  ['xid8', [`'18446744073709551615'`]],
  ['float4', [`'NaN'`, `'-Infinity'`, `'-0'`, '1.1', '3.4028235e38', '1e-45', '16777217']],
  ['float8', [`'NaN'`, `'Infinity'`, `'-0'`, '0.1', '1.7976931348623157e308', '5e-324']],
  ['money', [`'-92233720368547758.08'`, '12.34', `'-0.01'`]],
  ['numeric(20, 6)', ['0', `'-12345678901234.567891'`, '10000', '0.000001', `'NaN'`]],
  ['numeric(38, 38)', ['0.00000000000000000000000000000000000001']],
  ['numeric(5, -2)', ['12300']],
  ['date', [`'0001-01-01'`, `'2024-02-29'`, `'9999-12-31'`, `'infinity'`, `'-infinity'`, `'0044-03-15 BC'`]],
  ['time', [`'00:00'`, `'12:34:56.789'`, `'24:00'`]],
  [
    'timestamp',
    [`'2024-02-29 12:34:56.000001'`, `'0001-01-01'`, `'infinity'`, `'0044-03-15 BC'`, `'1969-12-31 23:59:59.9'`],
  ],
  ['timestamptz', [`'2024-02-29 12:34:56+05:30'`, `'9999-12-31 23:59:59.999999Z'`, `'-infinity'`]],
  ['text', [`''`, `'Größe 😀 "quoted" \\ back'`, `E'line\\nbreak'`]],
  ['varchar(20)', [`'ab'`]],
  ['char(5)', [`'ab'`]],
  ['name', [`'a name'`]],
  ['citext', [`'MiXed'`]],
  ['json', [`'{"a":  [1, null]}'`]],
  ['jsonb', [`'{"a": [1.10, null], "b": "ü"}'`, `'null'`]],
  ['uuid', [`'01234567-89ab-cdef-0123-456789abcdef'`]],
  ['bytea', [`''`, String.raw`'\x00ff10'`]],
  ['mood', [`'so so'`]],
  ['positive', ['7']],
  ['hstore', [`''`, `'a=>1, "b c"=>NULL, "q\\"uote"=>"x=>y"'`]],
  ['int4[]', [`'{}'`, `'{1,NULL,3}'`, `'[0:1]={5,6}'`]],
  ['int4[][]', [`'{{1,2},{3,4}}'`]],
  ['text[]', [`ARRAY['a', NULL, 'NULL', '', 'b "c" \\ {d},e', 'ü']`]],
  ['timestamptz[]', [`'{"2024-02-29 12:00Z",infinity}'`]],
  ['numeric(10, 2)[]', [`'{1.5,-2.25}'`]],
  ['mood[]', [`'{happy,"so so"}'`]],
  ['pair', [`ROW(1.5, ROW(2, 'x "y" \\ (z), '), '{1,2}')`, `ROW(NULL, ROW(NULL, ''), '{}')`, `ROW(1, NULL, NULL)`]],
  ['pair[]', [`ARRAY[ROW(1.5, ROW(2, 'a,b'), '{1}'), NULL]::pair[]`]],
];

/** What the server prints for COPY, and we print from the binary format. */
const PRINTED_HERE: [type: string, values: string[]][] = [
  [
    'interval',
    [
      ...[
        `'1 year 2 mons -3 days 04:05:06.789'`,
        `'0'`,
        `'infinity'`,
        `'-infinity'`,
        `'-1 year -13 mons'`,
        `'-00:00:00.5'`,
      ],
      ...[
        `'1 day -25:00:01'`,
        `'-00:01'`,
        `'100000:00:00.000001'`,
        `'3 mons'`,
        `'-178000000 years'`,
        `'1 mon -1 day 00:59:59.999999'`,
      ],
    ],
  ],
  [
    'numeric',
    [
      ...[
        '0',
        `'1e20'`,
        `'-0.00100'`,
        `'NaN'`,
        `'Infinity'`,
        `'-Infinity'`,
        '0.0',
        '0.000',
        '10000',
        '99999999',
        `'1e-20'`,
        '12345.6789',
      ],
      ...[
        '0.00010001',
        '-123456789012345678901234567890.123456789',
        '1.50',
        `'1e-8'::numeric * 100000000`,
        `10000.0000`,
        `'1e131071'`,
      ],
    ],
  ],
  ['numeric(50, 10)', ['1234567890123456789012345678901234567890.0123456789', '0', '-0.0000000001']],
  [
    'inet',
    [
      `'192.168.0.1/24'`,
      `'10.1.2.3'`,
      `'0.0.0.0/0'`,
      `'::'`,
      `'::1'`,
      `'2001:db8::1/64'`,
      `'2001:db8:0:0:1:0:0:1'`,
      `'::ffff:1.2.3.4'`,
    ],
  ],
  [
    'inet',
    [
      `'::1.2.3.4'`,
      `'1::'`,
      `'1:0:2:0:3:0:4:0'`,
      `'::2:0:0:0:1:2'`,
      `'fe80::1:0:0:0/10'`,
      `'0:0:1::'`,
      `'1:2:3:4:5:6:7:0'`,
      `'::ffff:0:0'`,
      `'::1:0'`,
    ],
  ],
  ['cidr', [`'10.0.0.0/8'`, `'10.1.2.3/32'`, `'2001:db8::/32'`, `'::/0'`, `'::1/128'`]],
  ['macaddr', [`'08:00:2b:01:02:03'`]],
  ['macaddr8', [`'08:00:2b:01:02:03:04:ff'`]],
];

/** What the server must print. */
const PRINTED: [type: string, values: string[]][] = [
  ['timetz', [`'12:34:56.789+02'`]],
  ['bit(5)', [`B'10101'`]],
  ['varbit', [`B'1'`]],
  ['int4range', [`'[1,5)'`, `'empty'`]],
  ['tstzrange', [`'[2024-01-01 00:00Z,)'`]],
  ['int4multirange', [`'{[1,3),[5,7)}'`]],
  ['tsvector', [`'cat:2 fat:1'`]],
  ['point', [`'(1.5,-2)'`]],
  ['box', [`'(1,1),(0,0)'`]],
  ['box[]', [`'{(1,1),(0,0);(3,3),(2,2)}'`]],
  ['xml', [`'<a>b</a>'`]],
  ['pg_lsn', [`'16/B374D848'`]],
  ['regclass', [`'pg_catalog.pg_class'`]],
  ['ltree', [`'Top.Science'`]],
  ['interval[]', [`'{"1 day",NULL}'`]],
  ['inet[]', [`'{10.1.2.3,10.0.0.0/8,::1,NULL}'`]],
  ['printed_pair', [`ROW('1 day', 'x')`]],
  ['printed_pair[]', [`ARRAY[ROW('1 day', 'x'), ROW(NULL, NULL)]::printed_pair[]`]],
];

/** Writes rows, each of one value and else nulls, and gives what the log and COPY say of them. */
async function logged(name: string, types: [type: string, values: string[]][], changes = {}) {
  const columns = types.map(([type], index) => `v${index} ${type}`);
  await server.query(`CREATE TABLE ${name} (id serial PRIMARY KEY, ${columns.join(', ')})`);
  await using database = openDatabase(server, changes);
  const [stream] = following([await selectNamed(database, `public.${name}`)]) as [SelectedStream];
  await using log = database.openChangeLog(name);
  const from = await log.prepare([stream]);
  for (const [index, [type, values]] of types.entries()) {
    await server.query(
      `INSERT INTO ${name} (v${index}) VALUES ${values.map((value) => `(${value}::${type})`).join(', ')}`,
    );
  }
  await server.query(`INSERT INTO ${name} DEFAULT VALUES`);
  const followed = await followToHead(log, { from, streams: [stream] });
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  const copied: Record<string, unknown>[] = [];
  for await (const item of database.readChunk(chunkRequest(stream, plan))) {
    if ('rows' in item) copied.push(...batchToRecords(item.body, stream.columns));
  }
  await using connection = await connect(configFor(server));
  const format = await chooseFormat(connection, { streams: [stream], version: 180_000, types: configFor(server) });
  return { format, followed: followed.changes.map(({ row }) => row), copied };
}

test.each<[LogFormat, [type: string, values: string[]][]]>([
  ['binary', [...TYPES, ...PRINTED_HERE]],
  ['text', [...TYPES, ...PRINTED_HERE, ...PRINTED]],
])('every type comes from the log as %s as COPY reads it', async (format, types) => {
  const { followed, copied, ...chosen } = await logged(`types_${format}`, types);
  expect(chosen).toEqual({ format });
  const names = types.map(([type], index) => `v${index} is ${type}`);
  expect(followed).toHaveLength(types.reduce((sum, [, values]) => sum + values.length, 1));
  for (const [index, row] of followed.entries()) expect({ names, row }).toEqual({ names, row: copied[index] });
});
