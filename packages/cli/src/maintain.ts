import { ConnectorError, type Message } from '@fjord/core';
import { maintain as maintainTables } from '@fjord/engine';
import type { Arguments } from './main.ts';
import { formatBytes, formatCount } from './table-text.ts';
import { withSession } from './with-session.ts';

/** `fjord maintain`: puts the tables of a pipeline in order and says what was done with each. */
export function maintain(args: Arguments): Promise<number> {
  const { stream = [], 'dry-run': dryRun } = args.options;
  const stop = new AbortController();
  const interrupt = () => stop.abort(new ConnectorError('interrupted', 'The maintenance was interrupted.'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const work: Parameters<typeof withSession>[1] = async (session) => {
    await maintainTables(session, {
      streams: Array.isArray(stream) ? stream : [],
      isDryRun: dryRun === true,
      onMessage: (message) => process.stdout.write(`${args.json ? JSON.stringify(message) : describe(message)}\n`),
    });
    return 0;
  };
  return withSession(args, work, { signal: stop.signal });
}

/** What was done with a table, in words; a line for each orphan where they are listed. */
export function describe(message: Message<'MAINTENANCE'>): string {
  const would = message.dryRun ? 'to ' : '';
  const done = [
    count(
      message.rewrittenFiles,
      'file',
      `(${formatBytes(message.rewrittenBytes)}) ${would}rewritten as ${message.newFiles}`,
    ),
    count(message.abandonedFiles, 'file', 'left alone, since others changed them meanwhile'),
    count(message.gatheredDeleteFiles, 'delete file', `${would}put together as ${message.newDeleteFiles}`),
    count(message.mergedManifests, 'manifest', `${would}merged`),
    count(message.expiredSnapshots, 'snapshot', `${would}expire, ${formatCount(message.expiredFiles)} files with them`),
    count(message.orphanFiles, 'orphaned file', `(${formatBytes(message.orphanBytes)}) ${would}removed`),
    message.skipped === undefined ? '' : `left as it is: ${message.skipped}`,
  ].filter((part) => part !== '');
  const line = `${message.stream}: ${done.length === 0 ? 'in order' : done.join('; ')}`;
  return [line, ...(message.orphans ?? []).map((location) => `  ${location}`)].join('\n');
}

function count(number: number, noun: string, what: string): string {
  return number === 0 ? '' : `${formatCount(number)} ${noun}${number === 1 ? '' : 's'} ${what}`;
}
