import type { SelectedStream } from '@fjord/core';
import { batchToRecords } from '@fjord/core/apache-arrow';
import { findMySQLProblem, type SqlServer, startMariaDB, startMySQL } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../src/config.ts';
import type { MysqlDatabase } from '../src/database.ts';
import { chunkRequest, execute, openDatabase, planRequest, selectNamed } from './mysql-fixture.ts';

type Vector = {
  ddl: string;
  type: string;
  values: [literal: string, json: unknown][];
  only?: 'MariaDB' | 'MySQL';
  config?: Partial<Config>;
};

const NULLED = null;
const base64 = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding).toString('base64');
/** Longer than three packets of 16 MB. */
const HUGE = 34 * 1024 * 1024;

/** Each type at its bounds, as docs/types.md says. Times are written in the session's zone, UTC. */
const VECTORS: Vector[] = [
  {
    ddl: 'tinyint',
    type: 'int',
    values: [
      ['-128', -128],
      ['127', 127],
    ],
  },
  {
    ddl: 'tinyint unsigned',
    type: 'int',
    values: [
      ['255', 255],
      ['0', 0],
    ],
  },
  {
    ddl: 'tinyint(1)',
    type: 'int',
    values: [
      ['-5', -5],
      ['1', 1],
    ],
  },
  {
    ddl: 'tinyint(1)',
    type: 'boolean',
    values: [
      ['0', false],
      ['7', true],
    ],
    config: { tinyint1: 'boolean' },
  },
  {
    ddl: 'smallint',
    type: 'int',
    values: [
      ['-32768', -32768],
      ['32767', 32767],
    ],
  },
  { ddl: 'smallint unsigned', type: 'int', values: [['65535', 65535]] },
  {
    ddl: 'mediumint',
    type: 'int',
    values: [
      ['-8388608', -8388608],
      ['8388607', 8388607],
    ],
  },
  { ddl: 'mediumint unsigned', type: 'long', values: [['16777215', '16777215']] },
  {
    ddl: 'int',
    type: 'int',
    values: [
      ['-2147483648', -2147483648],
      ['2147483647', 2147483647],
    ],
  },
  {
    ddl: 'int unsigned zerofill',
    type: 'long',
    values: [
      ['4294967295', '4294967295'],
      ['7', '7'],
    ],
  },
  {
    ddl: 'bigint',
    type: 'long',
    values: [
      ['-9223372036854775808', '-9223372036854775808'],
      ['9223372036854775807', '9223372036854775807'],
    ],
  },
  {
    ddl: 'bigint unsigned',
    type: 'decimal(20,0)',
    values: [
      ['18446744073709551615', '18446744073709551615'],
      ['1', '1'],
    ],
  },
  {
    ddl: 'float',
    type: 'float',
    values: [
      ['0.1', Math.fround(0.1)],
      ['3.4e38', Math.fround(3.4e38)],
      ['16777217', 16777216],
    ],
  },
  {
    ddl: 'double',
    type: 'double',
    values: [
      ['0.1', 0.1],
      ['-1.7976931348623157e308', -1.7976931348623157e308],
    ],
  },
  {
    ddl: 'decimal(5,2)',
    type: 'decimal(5,2)',
    values: [
      ['-999.99', '-999.99'],
      ['0.1', '0.10'],
      ['-0.01', '-0.01'],
    ],
  },
  {
    ddl: 'decimal(30,10)',
    type: 'decimal(30,10)',
    values: [['-12345678901234567890.0123456789', '-12345678901234567890.0123456789']],
  },
  { ddl: 'decimal(38,0)', type: 'decimal(38,0)', values: [['9'.repeat(38), '9'.repeat(38)]] },
  {
    ddl: 'decimal(65,30)',
    type: 'string',
    values: [[`${'9'.repeat(35)}.${'1'.repeat(30)}`, `${'9'.repeat(35)}.${'1'.repeat(30)}`]],
  },
  {
    ddl: 'decimal(65,30)',
    type: 'decimal(38,4)',
    values: [
      ['1.25', '1.2500'],
      ['1.00005', '1.0001'],
      ['-1.00005', '-1.0001'],
      ['9'.repeat(35), `${'9'.repeat(34)}.9999`],
    ],
    config: { wideDecimal: 'decimal(38,4)', unrepresentable: 'clamp' },
  },
  {
    ddl: 'decimal(65,30)',
    type: 'decimal(38,4)',
    values: [['1.00005', NULLED]],
    config: { wideDecimal: 'decimal(38,4)' },
  },
  {
    ddl: 'bit(1)',
    type: 'boolean',
    values: [
      ["b'1'", true],
      ["b'0'", false],
    ],
  },
  { ddl: 'bit(33)', type: 'long', values: [["b'100000000000000000000000000000001'", '4294967297']] },
  { ddl: 'bit(64)', type: 'decimal(20,0)', values: [["X'FFFFFFFFFFFFFFFF'", '18446744073709551615']] },
  {
    ddl: 'year',
    type: 'int',
    values: [
      ['1901', 1901],
      ['2155', 2155],
      ["'0000'", 0],
    ],
  },
  {
    ddl: 'date',
    type: 'date',
    values: [
      ["'0001-01-01'", '0001-01-01'],
      ["'9999-12-31'", '9999-12-31'],
      ["'1900-02-28'", '1900-02-28'],
      ["'0000-00-00'", NULLED],
      ["'2024-00-15'", NULLED],
      ["'2024-02-00'", NULLED],
    ],
  },
  {
    ddl: 'datetime(6)',
    type: 'timestamp',
    values: [
      ["'0001-01-01 00:00:00'", '0001-01-01T00:00:00.000000'],
      ["'9999-12-31 23:59:59.999999'", '9999-12-31T23:59:59.999999'],
      ["'1969-12-31 23:59:59.999999'", '1969-12-31T23:59:59.999999'],
      ["'2262-04-12 00:00:00.000001'", '2262-04-12T00:00:00.000001'],
      ["'0000-00-00 00:00:00'", NULLED],
      ["'2024-00-00 01:02:03'", NULLED],
    ],
  },
  {
    ddl: 'timestamp(6) NULL',
    type: 'timestamptz',
    values: [
      ["'1970-01-01 00:00:01'", '1970-01-01T00:00:01.000000Z'],
      ["'2038-01-19 03:14:07.999999'", '2038-01-19T03:14:07.999999Z'],
      ["'0000-00-00 00:00:00'", NULLED],
    ],
  },
  {
    ddl: 'time(6)',
    type: 'time',
    values: [
      ["'00:00:00'", '00:00:00.000000'],
      ["'23:59:59.999999'", '23:59:59.999999'],
      ["'-00:00:01'", NULLED],
      ["'838:59:59'", NULLED],
      ["'24:00:00'", NULLED],
    ],
  },
  {
    ddl: 'time(6)',
    type: 'time',
    values: [
      ["'-01:00:00'", '00:00:00.000000'],
      ["'25:00:00'", '23:59:59.999999'],
    ],
    config: { unrepresentable: 'clamp' },
  },
  {
    ddl: 'time(3)',
    type: 'string',
    values: [
      ["'-838:59:59'", '-838:59:59.000'],
      ["'01:02:03.004'", '01:02:03.004'],
    ],
    config: { timeAs: 'string' },
  },
  {
    ddl: 'char(5)',
    type: 'string',
    values: [
      ["'a '", 'a'],
      ["''", ''],
    ],
  },
  { ddl: 'varchar(20) CHARACTER SET latin1', type: 'string', values: [["'äß€'", 'äß€']] },
  { ddl: 'varchar(20) CHARACTER SET gbk', type: 'string', values: [["'中文'", '中文']] },
  { ddl: 'varchar(20) CHARACTER SET utf8mb3', type: 'string', values: [["'é '", 'é ']] },
  { ddl: 'varchar(20) CHARACTER SET utf16', type: 'string', values: [["'𝄞'", '𝄞']] },
  {
    ddl: 'longtext',
    type: 'string',
    values: [
      [`REPEAT('é', ${HUGE / 2})`, 'é'.repeat(HUGE / 2)],
      ["'x'", 'x'],
    ],
  },
  {
    ddl: "enum('a','it''s','é')",
    type: 'string',
    values: [
      ["'it''s'", "it's"],
      ["'é'", 'é'],
    ],
  },
  {
    ddl: "set('a','b','c')",
    type: 'string',
    values: [
      ["'a,c'", 'a,c'],
      ["''", ''],
    ],
  },
  { ddl: 'binary(4)', type: 'binary', values: [["X'00FF'", base64('00ff0000', 'hex')]] },
  {
    ddl: 'varbinary(300)',
    type: 'binary',
    values: [
      ["REPEAT(X'FF', 300)", base64('ff'.repeat(300), 'hex')],
      ["''", ''],
    ],
  },
  { ddl: 'blob', type: 'binary', values: [["X'C328'", base64('c328', 'hex')]] },
  {
    ddl: 'json',
    type: 'string',
    values: [[`'{"b": 12345678901234567890, "a": [null, 1.5]}'`, '{"a": [null, 1.5], "b": 12345678901234567890}']],
    only: 'MySQL',
  },
  { ddl: 'json', type: 'string', values: [[`'{"b":1,  "a":2}'`, '{"b":1,  "a":2}']], only: 'MariaDB' },
  {
    ddl: 'point',
    type: 'binary',
    values: [["ST_GeomFromText('POINT(1 2)')", base64('0101000000000000000000f03f0000000000000040', 'hex')]],
  },
  {
    ddl: 'uuid',
    type: 'uuid',
    values: [["'6ccd780c-baba-1026-9564-5b8c656024db'", '6ccd780c-baba-1026-9564-5b8c656024db']],
    only: 'MariaDB',
  },
  { ddl: 'inet6', type: 'string', values: [["'::1'", '::1']], only: 'MariaDB' },
  {
    ddl: 'vector(2)',
    type: '{"type":"list","element":"float"}',
    values: [["STRING_TO_VECTOR('[1.5,-2]')", [1.5, -2]]],
    only: 'MySQL',
  },
];

const SERVERS: [name: 'MariaDB' | 'MySQL', start: () => Promise<SqlServer>, problem: string | undefined][] = [
  ['MariaDB', () => startMariaDB('types', ['--default-time-zone=+05:30', '--max-allowed-packet=64M']), undefined],
  ['MySQL', () => startMySQL(['--default-time-zone=-08:00', '--max-allowed-packet=64M']), findMySQLProblem()],
];

describe.for(SERVERS)('%s', ([kind, start, problem]) => {
  let server: SqlServer;
  beforeAll(async () => {
    if (problem !== undefined) return;
    server = await start();
    await execute(server, ['CREATE DATABASE IF NOT EXISTS types']);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const own = VECTORS.filter(({ only }) => only === undefined || only === kind).map(
    (vector, index) => [index, vector] as const,
  );
  test.for(own)(
    'gives exact values: %s',
    { skip: problem !== undefined },
    async ([index, { ddl, type, values, config }]) => {
      const table = `types.t${index}`;
      await execute(server, [
        `CREATE TABLE ${table} (id int PRIMARY KEY, v ${ddl})`,
        ...[...values, ['NULL', null] as const].map(
          ([literal], row) => `INSERT INTO ${table} VALUES (${row}, ${literal})`,
        ),
      ]);
      await using database = openDatabase(server, config);
      const stream = await selectNamed(database, table);
      const column = stream.columns[1]?.type;
      expect(typeof column === 'string' ? column : JSON.stringify(column)).toBe(type);
      expect(await valuesOf(database, stream)).toEqual([...values.map(([, json]) => json), null]);
    },
  );
});

async function valuesOf(database: MysqlDatabase, stream: SelectedStream): Promise<unknown[]> {
  const plan = await database.planChunks(stream, planRequest(1 << 20));
  const records: Record<string, unknown>[] = [];
  for await (const item of database.readChunk(chunkRequest(stream, plan))) {
    if ('rows' in item) records.push(...batchToRecords(item.body, stream.columns));
  }
  return records.toSorted((a, b) => Number(a['id']) - Number(b['id'])).map(({ v }) => v);
}
