import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { findFreePort, startPostgres, runProcess } from '../src/index.ts';

test('a server starts with its databases and settings, and answers', async () => {
  await using server = await startPostgres({ databases: ['shop', 'Ø"x'], settings: { work_mem: '5MB' } });
  expect(server.database).toBe('shop');
  expect(await server.query('SELECT current_database() AS name, current_setting($1) AS value', ['work_mem'])).toEqual([
    { name: 'shop', value: '5MB' },
  ]);
  expect(await server.query('SELECT current_database() AS name', [], 'Ø"x')).toEqual([{ name: 'Ø"x' }]);
});

test('data survives a stop and a kill of all processes', async () => {
  await using server = await startPostgres();
  await server.query('CREATE TABLE t (id int); INSERT INTO t VALUES (1)');
  await server.stop();
  await expect(server.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
  await server.start();
  await server.query('INSERT INTO t VALUES (2); CHECKPOINT');
  await server.kill();
  await server.start();
  expect(await server.query('SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
});

test('nothing is left of a server that went out of scope', async () => {
  const left: { folder: string; port: number } = { folder: '', port: 0 };
  {
    await using server = await startPostgres();
    Object.assign(left, { folder: server.dataFolder, port: server.port });
    await server.client();
  }
  await expect(stat(left.folder)).rejects.toThrow('ENOENT');
  const { stdout } = await runProcess('sh', ['-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "']);
  expect(stdout).not.toContain(left.folder);
});

test('a server ends when the process that started it is killed', async () => {
  const starter = new URL('starter.ts', import.meta.url).pathname;
  const { stdout, signal } = await runProcess(process.execPath, [starter], { timeoutMs: 60_000 });
  expect(signal).toBe('SIGKILL');
  await expect.poll(() => isListening(Number(stdout)), { timeout: 10_000 }).toBe(false);
});

test('a port that is taken is said with the log of the server', async () => {
  const port = await findFreePort();
  await using _first = await startPostgres({ port });
  await expect(startPostgres({ port })).rejects.toThrow(
    /port \d+ did not start: the port is taken.*Address already in use/s,
  );
});

async function isListening(port: number): Promise<boolean> {
  expect(port).toBeGreaterThan(0);
  const probe = `require('net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
  return (await runProcess(process.execPath, ['-e', probe])).exitCode === 0;
}
