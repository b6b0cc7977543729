import type { Condition } from '@fjord/core';
import { findMySQLProblem, type SqlServer, startMariaDB, startMySQL } from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkRequest, execute, openDatabase, planRequest, readRows, selectNamed } from './mysql-fixture.ts';

const SERVERS: [name: string, start: () => Promise<SqlServer>, problem: string | undefined][] = [
  ['MariaDB', () => startMariaDB('picked'), undefined],
  ['MySQL', () => startMySQL(), findMySQLProblem()],
];

/** Each condition, and the ids of the rows that meet it. */
const CONDITIONS: [condition: Condition, ids: number[]][] = [
  [{ column: 't', compare: '=', value: 'a' }, [1]],
  [{ column: 't', compare: '!=', value: 'a' }, [2, 3]],
  [{ column: 't', compare: '<', value: 'a' }, [2]],
  [{ column: 't', in: ['A', 'á%\\'] }, [2, 3]],
  [{ column: 't', in: [] }, []],
  [{ not: { column: 't', compare: '=', value: 'a' } }, [2, 3]],
  [{ column: 't', like: 'á\\%\\\\' }, [3]],
  [{ column: 't', like: 'a%' }, [1]],
  [{ column: 't', like: '_' }, [1, 2]],
  [{ column: 't', isNull: true }, [4]],
  [{ column: 'u', compare: '=', value: '18446744073709551615' }, [1]],
  [{ column: 'u', compare: '<', value: '18446744073709551615' }, [2, 3]],
  [{ column: 'd', compare: '=', value: '0.1' }, [1]],
  [{ column: 'd', compare: '>=', value: '0.1000001' }, [2]],
  [{ column: 'f', compare: '=', value: Math.fround(0.1) }, [1]],
  [{ column: 'f', compare: '<', value: 'NaN' }, [1, 2, 3]],
  [{ column: 'f', compare: '=', value: 'Infinity' }, []],
  [{ column: 'f', compare: '>', value: '-Infinity' }, [1, 2, 3]],
  [{ column: 'e', compare: '>', value: 'a' }, [2]],
  [{ column: 'e', compare: '=', value: 'a' }, [1, 3]],
  [{ column: 'day', compare: '<', value: '2024-03-01' }, [1]],
  [{ column: 'day', isNull: true }, [3, 4]],
  [{ column: 'day', compare: '!=', value: '2024-02-29' }, [2]],
  [{ column: 'moment', compare: '>=', value: '2024-02-29T12:00:00.000001Z' }, [1]],
  [{ column: 'clock', isNull: true }, [2, 4]],
  [{ column: 'clock', compare: '<=', value: '12:00:00' }, [1]],
  [{ column: 'b', compare: '=', value: 'AP8=' }, [1]],
  [{ column: 'bits', compare: '>', value: '1' }, [2]],
  [{ column: 'flag', compare: '=', value: true }, [1]],
  [{ and: [] }, [1, 2, 3, 4]],
  [{ or: [] }, []],
  [
    {
      or: [
        { column: 't', compare: '=', value: 'a' },
        {
          and: [
            { column: 'id', compare: '>', value: 2 },
            { column: 't', isNull: false },
          ],
        },
      ],
    },
    [1, 3],
  ],
];

describe.for(SERVERS)('%s', ([, start, problem]) => {
  const skip = problem !== undefined;
  let server: SqlServer;
  beforeAll(async () => {
    if (skip) return;
    server = await start();
    await execute(server, [
      'CREATE DATABASE IF NOT EXISTS picked',
      `CREATE TABLE picked.t (id int PRIMARY KEY, t varchar(10) CHARACTER SET latin1, u bigint unsigned, d decimal(10,3), f float, e enum('z','a'),
         day date, moment timestamp(6) NULL, clock time, b varbinary(4), bits bit(4), flag bit(1))`,
      `INSERT INTO picked.t VALUES
         (1, 'a', 18446744073709551615, 0.1, 0.1, 'a', '2024-02-29', '2024-02-29 12:00:00.000001', '12:00:00', X'00FF', 1, 1),
         (2, 'A', 0, 5, -1, 'z', '2024-03-01', '2024-02-29 12:00:00', '-01:00:00', '', 9, 0),
         (3, CONVERT(X'C3A1255C' USING utf8mb4), 7, 0, 2, 'a', '2024-00-00', '1970-01-01 00:00:01', '23:00:00', X'FF', 0, 0),
         (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
    ]);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test.for(CONDITIONS)('keeps the rows that meet %j', { skip }, async ([condition, ids]) => {
    await using database = openDatabase(server);
    const stream = await selectNamed(database, 'picked.t');
    const { columns, primaryKey } = stream;
    const shape = { columns, primaryKey, filter: { condition, columns }, outputs: [] };
    const plan = await database.planChunks(stream, planRequest(1 << 20));
    const rows = await readRows(database, chunkRequest({ ...stream, shape }, plan));
    expect(rows.map(({ id }) => Number(id))).toEqual(ids);
  });
});
