import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type PostgresServer, type TcpProxy, temporaryFolder } from '../../src/index.ts';
import { expectEqual, follow, makeTables, startFollowed, sync } from './followed-tables.ts';
import { Pipeline } from './pipeline.ts';
import { typesTable } from './type-vectors.ts';
import { damage, numbers, verify } from './verified-tables.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;
beforeAll(async () => {
  ({ postgres, proxy } = await startFollowed());
});

test('a lost, an added, a doubled, an altered and two swapped rows are found, named and repaired; an equal table is equal', async () => {
  await makeTables(postgres, 'damaged');
  const pipeline = await follow('damaged', { postgres, proxy });
  await sync(pipeline);
  await postgres.query('UPDATE damaged.b SET n = id WHERE id % 3 = 0; DELETE FROM damaged.b WHERE id > 11990');
  const equal = await verify(pipeline);
  expect(equal.exitCode, equal.stderr).toBe(0);
  expect(equal.streams).toMatchObject(
    ['a', 'b'].map((name) => ({ stream: `damaged.${name}`, status: 'equal', notes: [], ranges: { differing: [] } })),
  );
  expect(equal.by('damaged.b').rows).toEqual({ source: 11_990, table: 11_990 });

  await damage(
    pipeline,
    ['damaged', 'b'],
    `
lost, doubled, swapped, altered = rows('id == 10'), rows('id == 20'), rows('id >= 30 and id <= 31'), rows('id == 40')
table.delete('id == 10 or (id >= 30 and id <= 31) or id == 40')
table.append(put(lost, 'id', [-10]))
table.append(doubled)
table.append(put(swapped, 'n', list(reversed(swapped['n'].to_pylist()))))
table.append(put(altered, 'pad', ['other']))`,
  );
  const found = await verify(pipeline, 'damaged.b');
  expect(found.exitCode).toBe(5);
  expect(found.streams.map(({ stream }) => stream)).toEqual(['damaged.b']);
  expect(found.by('damaged.b').status).toBe('different');
  expect(numbers(found.by('damaged.b').keys)).toEqual([[10], [-10], [20, 30, 31, 40]]);
  expect(found.by('damaged.b').ranges.differing.length).toBeGreaterThan(1);
  expect(found.stderr).toContain('rows_differ');

  await postgres.query('UPDATE damaged.b SET n = 777 WHERE id IN (10, 50); DELETE FROM damaged.b WHERE id = 20');
  const repaired = await verify(pipeline, '--repair');
  expect(repaired.exitCode, repaired.stderr).toBe(0);
  expect(repaired.streams.map(({ status }) => status)).toEqual(['equal', 'repaired']);
  await expectEqual(pipeline, 'damaged', ['a', 'b'], ['duckdb', 'pyiceberg']);
  // What was inserted before the repair's place must not be taken for new, nor later rows for old.
  await postgres.query(
    'INSERT INTO damaged.b SELECT g, 1, NULL FROM generate_series(20, 20) g; UPDATE damaged.b SET n = 0',
  );
  await sync(pipeline);
  await expectEqual(pipeline, 'damaged', ['b']);
});

test('a table of every type, copied by full syncs, is equal; of one that was written to since, that is said', async () => {
  for (const statement of typesTable()) await postgres.query(statement);
  await postgres.query('CREATE TABLE bag (n int, t text); INSERT INTO bag VALUES (1, NULL), (1, NULL), (2, $$x$$)');
  const folder = await temporaryFolder('fjord-verify');
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const pipeline = new Pipeline(folder.path, postgres, {
    writeMode: 'overwrite',
    match: ['public.types', 'public.bag'],
  });
  await sync(pipeline);
  const equal = await verify(pipeline);
  expect(equal.exitCode, equal.stderr).toBe(0);
  expect(equal.streams.map(({ status }) => status)).toEqual(['equal', 'equal']);
  expect(equal.by('public.types').notes.join()).toContain('reading all rows');
  await postgres.query('DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag)');
  const moved = await verify(pipeline, '--repair', 'public.bag');
  expect(moved.exitCode).toBe(5);
  expect(moved.by('public.bag').keys.changed).toEqual([{ n: 1, t: null }]);
  expect(moved.by('public.bag').notes.join('; ')).toContain('the next `fjord sync` copies all of its rows');
});
