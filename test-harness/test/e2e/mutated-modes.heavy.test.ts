import { beforeAll, test } from 'vitest';
import type { PostgresServer, TcpProxy } from '../../src/index.ts';
import { expectEqual, follow, startFollowed, sync } from './followed-tables.ts';
import { followThroughKills, SEED } from './mutated-follow.ts';
import { expectHistory, expectSoftlyDeleted, LogCount, readKeys } from './mutated-history.ts';
import { makeMutated, MUTATED, Mutations } from './mutations.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  ({ postgres, proxy } = await startFollowed());
});

test.each([
  { stream: { formatVersion: 2 }, sparkReads: ['pairs'] },
  { stream: { formatVersion: 3, partition: ['bucket(4, n)'] }, sparkReads: [] },
])(
  `columns that come, go and change among random changes and kills leave tables of $stream as the database has them (seed ${SEED})`,
  async ({ stream, sparkReads }) => {
    const schema = `altered_${stream.formatVersion}`;
    await makeMutated(postgres, schema);
    const pipeline = await follow(schema, { postgres, proxy }, { stream });
    // A copy cannot be made of a table that is altered under it.
    await sync(pipeline);
    await followThroughKills(pipeline, new Mutations(postgres, schema, { seed: SEED, isAltering: true }));
    await expectEqual(pipeline, schema, [...MUTATED], ['duckdb', 'pyiceberg']);
    await expectEqual(pipeline, schema, sparkReads, ['spark']);
  },
);

test(`random changes and kills leave a history that has each change once (seed ${SEED})`, async () => {
  const schema = 'mutated_history';
  await makeMutated(postgres, schema);
  const stream = { metadataColumns: true };
  const pipeline = await follow(schema, { postgres, proxy }, { writeMode: 'append', stream });
  await sync(pipeline);
  const log = await LogCount.begin(postgres, schema);
  await followThroughKills(pipeline, new Mutations(postgres, schema, { seed: SEED }));
  await expectHistory(pipeline, schema, log);
});

test(`random changes and kills leave softly deleted rows beside the living, which are the database's (seed ${SEED})`, async () => {
  const schema = 'mutated_softly';
  await makeMutated(postgres, schema);
  const stream = { deletes: 'soft', formatVersion: 3 };
  const pipeline = await follow(schema, { postgres, proxy }, { stream });
  await sync(pipeline);
  const before = await readKeys(pipeline, schema);
  await followThroughKills(pipeline, new Mutations(postgres, schema, { seed: SEED }));
  await expectSoftlyDeleted(pipeline, schema, before);
});
