import { beforeAll, expect, test } from 'vitest';
import type { PostgresServer, TcpProxy } from '../../src/index.ts';
import { expectEqual, follow, makeTables, startFollowed, sync, writeBeside } from './followed-tables.ts';
import { damage, numbers, verify } from './verified-tables.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;
beforeAll(async () => {
  ({ postgres, proxy } = await startFollowed());
});

test('what is written meanwhile is no difference, and one that is there is found and repaired all the same', async () => {
  await makeTables(postgres, 'moving');
  const pipeline = await follow('moving', { postgres, proxy });
  await sync(pipeline);
  const writing = writeBeside(postgres, 'moving');
  const equal = await verify(pipeline);
  expect(equal.exitCode, equal.stderr).toBe(0);
  // Nothing writes these rows.
  await damage(pipeline, ['moving', 'a'], `table.delete('id >= 12001 and id < 20000')\ntable.delete('id == 40000')`);
  await writing.stop();
  await postgres.query(`INSERT INTO moving.a SELECT g, 5, 'kept' FROM generate_series(15000, 15002) g`);
  await sync(pipeline);
  await damage(pipeline, ['moving', 'a'], `table.delete('id == 15001')`);
  const again = writeBeside(postgres, 'moving');
  const repaired = await verify(pipeline, '--repair');
  await again.stop();
  expect(repaired.exitCode, repaired.stderr).toBe(0);
  expect(repaired.by('moving.a').status).toBe('repaired');
  expect(numbers(repaired.by('moving.a').keys)).toEqual([[15_001], [], []]);
  await sync(pipeline);
  await expectEqual(pipeline, 'moving', ['a', 'b']);
});

test('partitioned, filtered and renamed streams are compared as they are copied; soft deletes are left out', async () => {
  await postgres.query(`
    CREATE SCHEMA shaped;
    CREATE TABLE shaped.people (code text COLLATE "C", part int, mail text, born date, PRIMARY KEY (code, part)) PARTITION BY LIST (part);
    CREATE TABLE shaped.people_0 PARTITION OF shaped.people FOR VALUES IN (0);
    CREATE TABLE shaped.people_1 PARTITION OF shaped.people FOR VALUES IN (1);
    INSERT INTO shaped.people SELECT 'ä|' || g, g % 2, 'm' || g || '@x', '2000-01-01'::date + g FROM generate_series(1, 3000) g;`);
  const stream = {
    deletes: 'soft',
    filter: { column: 'born', '>=': '2001-01-01' },
    columns: { rename: { code: 'name' } },
    partition: ['bucket(4, name)'],
  };
  const match = ['shaped.people'];
  const plain = await follow('shaped', { postgres, proxy }, { match, stream });
  await sync(plain);
  await postgres.query(
    `DELETE FROM shaped.people WHERE mail LIKE '%9@x'; UPDATE shaped.people SET born = '1999-01-01' WHERE code = 'ä|2000'`,
  );
  const equal = await verify(plain);
  expect(equal.exitCode, equal.stderr).toBe(0);
  const { rows, notes } = equal.by('shaped.people');
  expect([rows.source, rows.table, notes]).toEqual([rows.table, rows.source, []]);
});
