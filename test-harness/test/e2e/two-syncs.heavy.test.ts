import { beforeAll, expect, test } from 'vitest';
import type { PostgresServer, TcpProxy } from '../../src/index.ts';
import { expectEqual, follow, makeSmallTables, startFollowed, startSync, sync, untilEqual } from './followed-tables.ts';

let postgres: PostgresServer;
let proxy: TcpProxy;

beforeAll(async () => {
  // A server that soon notices that nobody listens.
  ({ postgres, proxy } = await startFollowed({ wal_sender_timeout: '3s' }));
});

test('a second sync of a pipeline that follows is refused, and the first goes on', async () => {
  await makeSmallTables(postgres, 'second');
  const pipeline = await follow('second', { postgres, proxy }, { source: { retrySeconds: 1 } });
  const first = startSync(pipeline, '--follow');
  await untilEqual(pipeline, first, ['second', 'a']);
  const second = await pipeline.sync();
  expect(second.exitCode, second.stderr).toBe(3);
  const busy = {
    type: 'ERROR',
    code: 'source_busy',
    message: expect.stringContaining('slot "fjord_second" is in use'),
  };
  expect(second.lines).toContainEqual(expect.objectContaining(busy));
  await postgres.query('UPDATE second.a SET n = -1 WHERE id < 50; DELETE FROM second.a WHERE id = 60');
  await untilEqual(pipeline, first, ['second', 'a']);
  first.child.kill('SIGTERM');
  await first.ended;
  await sync(pipeline);
  await expectEqual(pipeline, 'second', ['a', 'b']);
});
