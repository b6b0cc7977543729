import { advisePartition, failureOfThrown, loadPipeline, matchesPattern, Session } from '@fjord/engine';

/** A database that does not answer must not hold up a file that is written already. */
const PATIENCE_MS = 15_000;

/** Entries of a new pipeline for the streams whose tables are better divided, and what is said about them. */
export type Advice = { entries: string; notes: string[] };

/**
 * Asks the source of a pipeline file which of the streams that a pattern chooses should have partitions; `rows` is the line that says how their rows are written. A source that cannot be asked
 * gives no advice, and a note why.
 */
export async function adviseStreams(file: string, { match, rows }: { match: string; rows: string }): Promise<Advice> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    await using session = await Session.open(await loadPipeline(file), { signal });
    const { streams } = await session.catalog();
    const advised = streams.flatMap((stream) => {
      const advice = matchesPattern(match, stream) ? advisePartition(stream) : undefined;
      return advice ? [{ stream: stream.stream, ...advice }] : [];
    });
    return {
      entries: advised.map((advice) => entryOf(advice, rows)).join(''),
      notes: advised.map(
        ({ stream, partition, reason }) => `${stream}: partition ${partition.join(', ')}, since ${reason}.`,
      ),
    };
  } catch (thrown) {
    const { code } = failureOfThrown(thrown);
    const note = `The source could not be asked how its tables are divided (${code}); fjord discover says it once it can.`;
    return { entries: '', notes: [note] };
  }
}

type AdvisedStream = { stream: string; partition: readonly string[]; reason: string };

function entryOf({ stream, partition, reason }: AdvisedStream, rows: string): string {
  return `  - match: ${JSON.stringify(stream)}
    ${rows}
    # Advised, since ${reason}.
    partition: ${JSON.stringify(partition)}
`;
}
