import { ConnectorError } from '@fjord/core';
import {
  failureOfThrown,
  failureOfVerdicts,
  loadPipeline,
  type StreamVerdict,
  verifyTables,
  type VerifyOptions,
} from '@fjord/engine';
import { failureText } from './failure-text.ts';
import type { Arguments } from './main.ts';
import { formatCount, table } from './table-text.ts';

/** So many keys of each kind are shown; `--json` has all. */
const SHOWN_KEYS = 5;

/** `fjord verify`: compares tables with their source, and says which rows differ. */
export async function verify(args: Arguments): Promise<number> {
  const { json, options, subjects = [] } = args;
  const stop = new AbortController();
  const interrupt = () => stop.abort(new ConnectorError('interrupted', 'The comparison was interrupted.'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const onLine: VerifyOptions['onLine'] = (line, { role }) => {
    if (json) process.stderr.write(`${JSON.stringify({ ...line, from: role })}\n`);
  };
  try {
    const verdicts = await verifyTables(await loadPipeline(args.file), {
      streams: subjects,
      isRepair: options['repair'] === true,
      ...(options['memory'] !== undefined && { memoryMB: Number(options['memory']) }),
      signal: stop.signal,
      onLine,
    });
    process.stdout.write(json ? `${JSON.stringify({ type: 'VERIFIED', streams: verdicts })}\n` : describe(verdicts));
    const failures = [...verdicts.flatMap(({ failure }) => failure ?? []), failureOfVerdicts(verdicts)];
    for (const failure of failures) if (failure) process.stderr.write(failureText(failure, json));
    return failureOfVerdicts(verdicts)?.exit ?? 0;
  } catch (thrown) {
    const failure = failureOfThrown(stop.signal.aborted ? stop.signal.reason : thrown);
    process.stderr.write(failureText(failure, json));
    return failure.exit;
  }
}

/** The table of verdicts, and below it what there is to say of each stream. */
export function describe(verdicts: readonly StreamVerdict[]): string {
  const rows = verdicts.map(({ stream, table: name, status, rows: counted, ranges }) => [
    `${stream} -> ${name}`,
    status,
    formatCount(counted.source),
    formatCount(counted.table),
    `${ranges.differing.length} of ${ranges.count}`,
  ]);
  const lines = verdicts.flatMap((verdict) => linesOf(verdict).map((line) => `${verdict.stream}: ${line}\n`));
  return `${table(['stream', 'status', 'rows', 'in table', 'ranges that differ'], rows)}\n${lines.join('')}`;
}

function linesOf({ keys, ranges, isListed, notes }: StreamVerdict): string[] {
  const kinds = [
    ['lost in the table', keys.missing],
    ['only in the table', keys.extra],
    ['other in the table, or there more than once', keys.changed],
  ] as const;
  const found = kinds.flatMap(([words, all]) => {
    if (all.length === 0) return [];
    const shown = all.slice(0, SHOWN_KEYS).map((key) => JSON.stringify(key));
    const more = all.length > SHOWN_KEYS ? [`and ${formatCount(all.length - SHOWN_KEYS)} more`] : [];
    return [`${formatCount(all.length)} ${words}: ${[...shown, ...more].join(', ')}`];
  });
  const rest = isListed ? [] : [`of its ${ranges.differing.length} ranges that differ not all rows were looked at`];
  return [...found, ...rest, ...notes];
}
