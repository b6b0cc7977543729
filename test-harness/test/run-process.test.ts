import { expect, test } from 'vitest';
import { mustRun, runProcess } from '../src/index.ts';

test('collects what a program writes and how it ends', async () => {
  const code =
    'process.stdin.on("data", (c) => process.stdout.write(c)); process.stderr.write("e"); process.exitCode = 3';
  expect(await runProcess(process.execPath, ['-e', code], { input: 'å' })).toEqual({
    exitCode: 3,
    signal: null,
    stdout: 'å',
    stderr: 'e',
  });
});

test('ends a program in time though a child of it holds its output', async () => {
  const result = await runProcess('sh', ['-c', 'echo begun; sleep 600 & wait'], { timeoutMs: 300 });
  expect(result).toEqual({ exitCode: null, signal: 'SIGKILL', stdout: 'begun\n', stderr: '' });
});

test('a program that fails where it must not is named with its output', async () => {
  await expect(mustRun('sh', ['-c', 'echo why >&2; exit 4'])).rejects.toThrow(/sh -c .* ended with exit code 4:\nwhy/);
});

test('a program that is not there rejects', async () => {
  await expect(runProcess('no-such-program')).rejects.toThrow('ENOENT');
});
