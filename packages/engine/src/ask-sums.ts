import type { ListedRow, RangeSum, SumRequest } from '@fjord/core';
import { askTables, type AskContext, ConnectorFailed } from './ask-connector.ts';
import { type Failure, failureOfLine } from './failure.ts';
import type { Connector } from './resolve-connector.ts';

/** What a connector says of a stream's rows. */
export type Summed = { sums: RangeSum[]; listed: ListedRow[]; note?: string };
/** Of each stream what was summed, or why it was not. */
export type SumsAnswer = { streams: Map<string, Summed>; failures: Map<string, Failure> };

export type SumsQuestion = {
  files: { config: string; streams: string; sums: string };
  memoryMB?: number | undefined;
  /** Told of the place in the change log that the sums are of, before they come. */
  onPosition?(position: unknown): void;
};

/** The file for `--sums`. */
export const toSumsFile = (requests: ReadonlyMap<string, SumRequest>) => ({ streams: Object.fromEntries(requests) });

/** Asks a connector for sums of rows. Streams that fail leave the others as they are; any other fault throws. */
export async function askSums(
  connector: Connector,
  { files, memoryMB, onPosition }: SumsQuestion,
  context: AskContext,
): Promise<SumsAnswer> {
  const answer: SumsAnswer = { streams: new Map(), failures: new Map() };
  const summedOf = (stream: string) => {
    const known = answer.streams.get(stream) ?? { sums: [], listed: [] };
    answer.streams.set(stream, known);
    return known;
  };
  const memory = memoryMB === undefined ? [] : ['--memory', String(memoryMB)];
  const args = ['--config', files.config, '--streams', files.streams, '--sums', files.sums, ...memory];
  const question = { verb: 'verify', args, types: ['POSITION', 'SUMS', 'LISTED'] } as const;
  try {
    await askTables(connector, question, {
      ...context,
      onLine: (line, from) => {
        if (line.type === 'ERROR' && line.stream !== undefined) {
          answer.failures.set(line.stream, failureOfLine(line, from.role));
        }
        context.onLine(line, from);
      },
      take: (message) => {
        if (message.type === 'POSITION') return onPosition?.(message.position);
        const summed = summedOf(message.stream);
        if (message.type === 'LISTED') for (const row of message.rows) summed.listed.push(row);
        else {
          for (const sum of message.sums) summed.sums.push(sum);
          if (message.note !== undefined) summed.note = message.note;
        }
      },
    });
  } catch (thrown) {
    if (!(thrown instanceof ConnectorFailed) || answer.failures.size === 0) throw thrown;
    const { stream, code } = thrown.failure;
    if (stream === undefined && code !== 'streams_failed') throw thrown;
  }
  for (const stream of answer.failures.keys()) answer.streams.delete(stream);
  return answer;
}
