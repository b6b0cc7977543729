import { ConnectorError, type RunContext, type SelectedStream, type SourceMessage } from '@fjord/core';
import { RowSums } from '@fjord/core/apache-arrow';
import { readBatch } from '../changes/change-batch.ts';
import type { Outgoing } from '../chunk-lane.ts';
import { ChunkSchedule } from '../chunk-schedule.ts';
import type { ConsistentPoint } from '../consistent-point.ts';
import type { Database, SummedRows } from '../database.ts';
import { Mailbox } from '../mailbox.ts';
import { countReaders, runReaders, sendAll, watchLoad } from '../readers.ts';
import type { VerifyRun } from './verify-streams.ts';

type ReadParts = { database: Database; streams: readonly SelectedStream[]; point: ConsistentPoint };

/**
 * Sums rows that are read as for a first copy: in parallel, filtered and transformed. A stream that fails is reported by the schedule. The
 * point is disposed of at the end.
 */
export async function* readSums(
  run: VerifyRun,
  { database, streams, point }: ReadParts,
  context: RunContext,
): AsyncGenerator<{ stream: string; found: SummedRows }> {
  const { options } = run;
  const selection = streams.map((selected): SelectedStream => {
    const { changes: _, incremental: __, ...stream } = selected;
    return stream;
  });
  const begin = { action: 'begin', generation: 1, replace: false } as const;
  const openings = selection.map((selected) => ({ selected, opening: begin }));
  const readers = await countReaders(database, options, context);
  await using schedule = new ChunkSchedule({ database, openings, run: 1, options, readers, point }, context);
  using watch = watchLoad(database, options, context);
  const mailbox = new Mailbox<Outgoing>(readers);
  const reading = {
    ...{ ...run, streams: selection, states: new Map(), sharedState: undefined },
    ...{ acknowledgements: none(), follow: false, backfill: [] },
  };
  const work = (stoppable: RunContext) => runReaders(reading, { schedule, watch, readers, mailbox }, stoppable);
  const gathered = new Map(selection.map((selected) => [selected.stream, new StreamSums(run, selected)]));
  for await (const message of sendAll(mailbox, context, work)) {
    if (message.stream !== undefined) gathered.get(message.stream)?.take(message);
  }
  for (const [stream, sums] of gathered) {
    const found = sums.finish(context);
    if (found) yield { stream, found };
  }
}

/** The sums of one stream: of chunks that are done only, since a chunk that fails is read again. */
class StreamSums {
  readonly #make: () => RowSums;
  readonly #stream: string;
  readonly #total: RowSums;
  readonly #open = new Map<string, RowSums>();
  #hasFailed = false;
  #generations = new Set<number>();

  constructor(run: VerifyRun, selected: SelectedStream) {
    this.#stream = selected.stream;
    this.#make = () => new RowSums(selected, run.sums[selected.stream] ?? { ranges: 1 });
    this.#total = this.#make();
  }

  take(message: SourceMessage): void {
    if (message.type === 'BACKFILL') this.#generations.add(message.generation);
    if (message.type === 'STATUS' && message.status === 'INCOMPLETE') this.#hasFailed = true;
    if (message.type === 'BATCH') {
      const { data, numRows: length } = readBatch(message.body);
      this.#sumsOf(message.chunk ?? '', message.attempt).add({ length, columns: data.children });
    }
    if (message.type !== 'CHUNK' || message.event === 'begin') return;
    const name = nameOf(message.chunk, message.attempt);
    const sums = this.#open.get(name);
    this.#open.delete(name);
    if (message.event === 'done' && sums) this.#total.addAll(sums);
  }

  /** What was summed; undefined for a stream that failed. */
  finish(context: RunContext): SummedRows | undefined {
    if (this.#hasFailed) return undefined;
    if (this.#generations.size <= 1) return { ranges: this.#total.ranges, listed: [...this.#total.listed] };
    const { code, message } = {
      code: 'plan_outdated' as const,
      message: `Table ${this.#stream} was rewritten while its rows were summed.`,
    };
    context.report(new ConnectorError(code, message, { stream: this.#stream }));
    return undefined;
  }

  #sumsOf(chunk: string, attempt: number | undefined): RowSums {
    const name = nameOf(chunk, attempt);
    const sums = this.#open.get(name) ?? this.#make();
    this.#open.set(name, sums);
    return sums;
  }
}

const nameOf = (chunk: string, attempt = 1) => `${chunk}/${attempt}`;

// Nothing becomes durable, so nothing is acknowledged.
async function* none(): AsyncGenerator<never> {}
