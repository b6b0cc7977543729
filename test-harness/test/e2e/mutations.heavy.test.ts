import { once } from 'node:events';
import { beforeAll, expect, test } from 'vitest';
import type { PostgresServer, TcpProxy } from '../../src/index.ts';
import { expectEqual, follow, startFollowed, sync } from './followed-tables.ts';
import { killConnectors, type Victim } from './kill-run.ts';
import { makeMutated, MUTATED, Mutations } from './mutations.ts';

/** Another one each day, the same all day; FJORD_TEST_SEED repeats one. */
const SEED = Number(process.env['FJORD_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const VICTIMS: Victim[] = ['source', 'destination', 'both'];
const KILLS = 5;

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
    const mutations = new Mutations(postgres, schema, { seed: SEED });
    const pipeline = await follow(schema, { postgres, proxy }, { stream });
    for (let kill = 0; kill < KILLS; kill++) {
      const running = pipeline.start('--follow');
      running.stdout.resume();
      let hasMoved = false;
      running.stderr.on('data', (data: Buffer) => (hasMoved ||= data.includes('"PROGRESS"')));
      const ended = once(running, 'close');
      while (!hasMoved && running.exitCode === null) await mutations.run(1);
      await mutations.run(mutations.below(40));
      expect(running.exitCode).toBeNull();
      running.kill('SIGSTOP');
      killConnectors(running.pid ?? 0, VICTIMS[mutations.below(VICTIMS.length)]!);
      running.kill('SIGKILL');
      await ended;
    }
    await mutations.run(20);
    await sync(pipeline);
    await expectEqual(pipeline, schema, [...MUTATED], ['duckdb', 'pyiceberg']);
  },
);
