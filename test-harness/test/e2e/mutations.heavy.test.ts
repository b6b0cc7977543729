import { beforeAll, test } from 'vitest';
import type { PostgresServer, TcpProxy } from '../../src/index.ts';
import { expectEqual, follow, startFollowed } from './followed-tables.ts';
import { followThroughKills, SEED } from './mutated-follow.ts';
import { makeMutated, MUTATED, Mutations } from './mutations.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  ({ postgres, proxy } = await startFollowed());
});

test.each([
  { name: 'two', stream: { formatVersion: 2 } },
  { name: 'three', stream: { formatVersion: 3 } },
  { name: 'parted', stream: { formatVersion: 2, partition: ['bucket(4, n)'] } },
])(
  `random changes and kills at random moments leave tables of $stream as the database has them (seed ${SEED})`,
  async ({ name, stream }) => {
    const schema = `mutated_${name}`;
    await makeMutated(postgres, schema);
    const pipeline = await follow(schema, { postgres, proxy }, { stream });
    await followThroughKills(pipeline, new Mutations(postgres, schema, { seed: SEED }));
    await expectEqual(pipeline, schema, [...MUTATED], ['duckdb', 'pyiceberg']);
  },
);
