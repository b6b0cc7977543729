import { once } from 'node:events';
import { beforeAll, expect, test } from 'vitest';
import type { PostgresServer, TcpProxy } from '../../src/index.ts';
import { expectEqual, follow, makeTables, startFollowed, sync, writeBeside } from './followed-tables.ts';
import { killConnectors, untilAsked } from './kill-run.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  ({ postgres, proxy } = await startFollowed());
});

test.each(['source', 'destination', 'both'] as const)(
  'after kill -9 of %s in the copy and later the next run goes on, and nothing is lost or doubled',
  async (victim) => {
    const schema = `killed_${victim}`;
    await makeTables(postgres, schema);
    const pipeline = await follow(schema, { postgres, proxy });
    const writing = writeBeside(postgres, schema);
    for (const chunks of [3, 6]) {
      const running = pipeline.start();
      running.stdout.resume();
      running.stderr.resume();
      const ended = once(running, 'close');
      await untilAsked(proxy, chunks);
      killConnectors(running.pid ?? 0, victim);
      await ended;
      expect(running.exitCode).not.toBe(0);
    }
    await sync(pipeline);
    await writing.stop();
    await sync(pipeline);
    await expectEqual(pipeline, schema, ['a', 'b'], ['duckdb', 'pyiceberg']);
  },
);
