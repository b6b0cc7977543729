import { ConnectorError } from '@fjord/core';
import { failureOfThrown, Journal, type JournalLine, LEVELS, loadPipeline } from '@fjord/engine';
import { failureText } from './failure-text.ts';
import type { Arguments } from './main.ts';
import { wholeNumber } from './whole-number.ts';

const DEFAULT_LINES = 100;

/** `fjord logs`: what the runs from this folder have said, oldest first. */
export async function logs(args: Arguments): Promise<number> {
  try {
    const { run, level: named = 'info', lines = DEFAULT_LINES } = args.options;
    const level = LEVELS.find((known) => known === named);
    if (!level) throw new ConnectorError('arguments_invalid', `--level is one of ${LEVELS.join(', ')}.`);
    using journal = Journal.read(await loadPipeline(args.file));
    const found =
      journal?.lines({
        ...(run !== undefined && { run: wholeNumber(run, '--run') }),
        level,
        limit: wholeNumber(lines, '--lines'),
      }) ?? [];
    for (const line of found) process.stdout.write(`${args.json ? JSON.stringify(line) : lineText(line)}\n`);
    if (found.length === 0 && !args.json) process.stdout.write('Nothing is recorded.\n');
    return 0;
  } catch (thrown) {
    const failure = failureOfThrown(thrown);
    process.stderr.write(failureText(failure, args.json));
    return failure.exit;
  }
}

/** `2025-06-02 12:00:00 warn  source: reading a chunk failed  code=source_busy`. */
export function lineText({ at, level, from, message, fields = {} }: JournalLine): string {
  const values = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [`${at.slice(0, 19).replace('T', ' ')} ${level.padEnd(5)} ${from}: ${message}`, ...values].join('  ');
}
