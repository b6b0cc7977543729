import { runProcess } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { completionText, optionsOf } from '../src/completion.ts';
import { HELP, VERBS } from '../src/help.ts';

test('every help fits 80 columns, and the help of the whole command names every verb', () => {
  for (const [verb, text] of Object.entries(HELP)) {
    for (const line of text.split('\n')) expect(line.length, `${verb}: ${line}`).toBeLessThanOrEqual(80);
  }
  for (const verb of VERBS) expect(HELP.fjord).toMatch(new RegExp(`^  fjord ${verb} `, 'm'));
});

test('options are those that the help names', () => {
  expect(optionsOf('plan')).toEqual(['--json', '--help']);
  expect(optionsOf('sync')).toContain('--metrics-port');
});

/** What bash would complete of a command line. */
async function complete(...words: string[]): Promise<string[]> {
  const line = `${completionText('bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_fjord
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await runProcess('bash', ['-O', 'extglob', '-c', line], { cwd: import.meta.dirname });
  return stdout.trim().split('\n');
}

test('bash completes verbs, and the options of a verb', async () => {
  expect(await complete('fjord', 'pl')).toEqual(['plan']);
  expect(await complete('fjord', 'logs', '--l')).toEqual(['--level', '--lines']);
  expect(await complete('fjord', 'sync', 'nothing-is-called-so')).toEqual(['']);
});

test('there is a script for each shell', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    for (const verb of VERBS) expect(completionText(shell)).toContain(verb);
  }
});
