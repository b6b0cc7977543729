import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const MODULE = new URL('../src/yield-to-others.ts', import.meta.url).href;
/** Fields of /proc/PID/stat behind the name in parentheses (proc_pid_stat(5), counted from the state): nice value and scheduling policy. */
const [NICE, POLICY] = [16, 38];
const SCHED_IDLE = 5;

test.skipIf(process.platform !== 'linux')('what is started after it runs only when a core is idle (Linux)', () => {
  const program = `import { execFileSync } from 'node:child_process';
    const { yieldToOthers } = await import(${JSON.stringify(MODULE)});
    yieldToOthers();
    process.stdout.write(execFileSync('cat', ['/proc/self/stat']));`;
  const stat = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  expect([Number(fields[NICE]), Number(fields[POLICY])]).toEqual([19, SCHED_IDLE]);
});
