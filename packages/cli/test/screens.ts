import path from 'node:path';
import { python, runProcess, type ProcessResult } from '@fjord/test-harness';

const TERMINAL = path.join(import.meta.dirname, 'pseudo-terminal.py');
const CLI = path.join(import.meta.dirname, '../src/bin.ts');

/** Where a command runs, and how wide its terminal is; without a width it has none. */
type Place = { cwd: string; env: Record<string, string | undefined>; width?: number };

/** Runs `fjord` as a person or a program would, and gives all that it wrote. */
export async function runFjord(args: readonly string[], { cwd, env, width }: Place): Promise<ProcessResult> {
  // The variables that turn colours on or off would decide in place of the terminal.
  const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, TERM: 'xterm-256color', ...env };
  if (width === undefined) return runProcess(process.execPath, [CLI, ...args], { cwd, env: plain });
  return runProcess(await python(), [TERMINAL, '[]', process.execPath, CLI, ...args], {
    cwd,
    env: { ...plain, TERMINAL_COLUMNS: String(width) },
  });
}

const CHANGING: [RegExp, string][] = [
  [/\r\n/g, '\n'],
  // Colours stay in sight.
  [new RegExp(String.fromCodePoint(27), 'g'), '␛'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+Z)?/g, 'TIME'],
  [/Node \d+\.\d+\.\d+/g, 'Node VERSION'],
  [/process \d+/g, 'process PID'],
  [/\d+ (second|minute)s? ago/g, 'AGO ago'],
  [/in \d+\.\d s, [\d,]+ rows\/s/g, 'in TIME s, SPEED rows/s'],
  [/in \d+\.\d s/g, 'in TIME s'],
  [/took \d+\.\d s/g, 'took TIME s'],
  [/ +\d+\.\d s {2}/g, ' TIME s  '],
  // Sizes are the server's statistics, and differ between its versions.
  [/\d+(\.\d)? (k|M|G)?B\b/g, 'SIZE'],
];

/** A screen without what differs from run to run, for comparison. */
export function steady(text: string, own: Record<string, string>): string {
  const replaced = Object.entries(own).reduce((all, [value, name]) => all.replaceAll(value, name), text);
  const named = CHANGING.reduce((all, [pattern, name]) => all.replaceAll(pattern, name), replaced);
  // Where a line with a path is broken depends on the path.
  return named.replaceAll(/(FOLDER\S*.*)\n(?=\S)/g, '$1 ');
}
