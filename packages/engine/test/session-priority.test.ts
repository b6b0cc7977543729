import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

const MODULE = new URL('../src/session-priority.ts', import.meta.url).href;

/** What the kernel says of the session of a process that a process of priority `nice` has started and passed its priority on to. */
function sessionOf(nice: number): string {
  const program = `import { spawn } from 'node:child_process';
    import { readFileSync } from 'node:fs';
    import { setPriority } from 'node:os';
    const { passOnPriority } = await import(${JSON.stringify(MODULE)});
    setPriority(${nice});
    const child = spawn('cat', { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    passOnPriority(child.pid);
    process.stdout.write(readFileSync('/proc/' + child.pid + '/autogroup', 'utf8'));
    child.stdin.end();`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
}

test.skipIf(!existsSync('/proc/self/autogroup'))(
  'a lowered priority holds between sessions (kernels that group them)',
  () => {
    expect(sessionOf(19)).toMatch(/ nice 19\n$/);
    expect(sessionOf(0)).toMatch(/ nice 0\n$/);
  },
);
