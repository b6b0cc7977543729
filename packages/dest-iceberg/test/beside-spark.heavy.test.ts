import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openCatalog } from '@fjord/iceberg';
import { readWithPyIceberg, runSpark, startRestCatalog, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { encodeChanges, orderKey } from './changes/change-log.ts';
import { COLUMNS, WriteProcess } from './write-process.ts';

const BIN = path.join(import.meta.dirname, '../src/bin.ts');
const KEYS = 200;
const SPARK_ROWS = 8;

/** Inserts, deletes and rewrites of Spark, each tried until it is made. Every second of its rows is deleted again. */
const SPARK = `
import sys, time
for key, value in {'': 'org.apache.iceberg.spark.SparkCatalog', '.type': 'rest', '.uri': sys.argv[1]}.items():
    spark.conf.set('spark.sql.catalog.lake' + key, value)
conflicts = 0
def insist(sql):
    global conflicts
    while True:
        try:
            spark.sql('REFRESH TABLE lake.beside.s')
            return spark.sql(sql).collect()
        except Exception as error:
            if 'CommitFailed' not in str(error) and 'Validation' not in str(error) and 'conflict' not in str(error).lower(): raise
            conflicts += 1
for i in range(${SPARK_ROWS}):
    insist(f"INSERT INTO lake.beside.s VALUES ({100000 + i}, 'spark')")
    insist("CALL lake.system.rewrite_data_files(table => 'beside.s', options => map('min-input-files', '2'))")
    if i % 2 == 0: insist(f'DELETE FROM lake.beside.s WHERE id = {100000 + i}')
print('conflicts', conflicts)
`;

test('a followed table that Spark inserts into, deletes from and rewrites at the same time has the rows of both', async () => {
  await using server = await startRestCatalog();
  await using folder = await temporaryFolder('fjord-beside');
  const [config, streams] = [path.join(folder.path, 'config.json'), path.join(folder.path, 'streams.json')];
  const catalog = { type: 'rest', uri: server.uri, accessDelegation: 'none' };
  const maintenance = { minInputFiles: 3, filesWhileFollowing: 4, snapshotsWhileFollowing: 30 };
  writeFileSync(config, JSON.stringify({ catalog, maintenance, workers: 1, commitIntervalSeconds: 0 }));
  const target = { namespace: ['beside'], name: 's' };
  const changes = { metadataColumns: false };
  const shape = { stream: 's', name: 's', columns: COLUMNS, primaryKey: ['id'], writeMode: 'upsert', changes, target };
  writeFileSync(streams, JSON.stringify({ pipeline: 'beside', streams: [shape] }));
  const args = [BIN, 'write', '--config', config, '--streams', streams, '--follow'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  await using write = new WriteProcess(child, { columns: COLUMNS, primaryKey: ['id'] });
  await write.started();
  write
    .begin(null)
    .send({ type: 'HANDOVER', stream: 's', position: orderKey(0) })
    .state('copied');
  await write.durable('copied');
  const expected = new Map<number, string>();
  const change = async (number: number) => {
    const id = number % KEYS;
    const op = !expected.has(id) ? 'c' : number % 7 === 0 ? 'd' : 'u';
    if (op === 'd') expected.delete(id);
    else expected.set(id, `n${number}`);
    const { rows, body } = encodeChanges(COLUMNS, [{ op, row: { id: String(id), name: `n${number}` } }], number);
    await write.batch(rows, body).state(number).durable(number);
  };
  let number = 1;
  for (; number < 20; number++) await change(number);
  let isRunning = true;
  const spark = runSpark(SPARK, [server.uri]).finally(() => {
    isRunning = false;
  });
  for (; isRunning; number++) await change(number);
  await spark;
  write.complete().state('done').endRun();
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  await using reader = await openCatalog({ type: 'rest', uri: server.uri, io: {} });
  const table = await reader.loadTable(target);
  const { rows } = await readWithPyIceberg({ metadataLocation: table!.metadataLocation, columns: ['id', 'name'] });
  for (let row = 1; row < SPARK_ROWS; row += 2) expected.set(100_000 + row, 'spark');
  const byId = (pairs: Iterable<readonly [number, unknown]>) => [...pairs].toSorted(([a], [b]) => a - b);
  expect(byId(rows.map(([id, name]) => [Number(id), name] as const))).toEqual(byId(expected));
  expect(number).toBeGreaterThan(100);
});
