import {
  asConnectorError,
  ConnectorError,
  type RunContext,
  type SelectedStream,
  type VerifyMessage,
  type VerifyRequest,
} from '@fjord/core';
import { type ConsistentPoint, openPoint } from '../consistent-point.ts';
import type { Database, SummedRows } from '../database.ts';
import type { ReplicationOptions } from '../options.ts';
import { readSums } from './read-sums.ts';
import { sumInDatabase } from './sum-in-database.ts';

export type VerifyRun = VerifyRequest<unknown> & {
  options: ReplicationOptions;
  module: string;
  open(config: unknown, context: RunContext): Promise<Database>;
};

/** Rows, or sums of ranges, of one message. */
const PAGE = 5000;

/**
 * Sums the rows of streams as of one moment: in the database where it renders a stream's columns as we do, else by reading all rows as for
 * a copy. Before that says where in the change log that moment is, if any of them follows it.
 */
export async function* verifyStreams(run: VerifyRun, context: RunContext): AsyncGenerator<VerifyMessage> {
  await using database = await run.open(run.config, context);
  const { point, position } = await holdPoint(run, database, context);
  let isHandedOver = false;
  try {
    if (position !== undefined) yield { type: 'POSITION', position };
    const toRead: { selected: SelectedStream; whyNot: string }[] = [];
    for (const selected of run.streams) {
      const found = await reporting(selected, context, () =>
        sumInDatabase(run, { database, selected, point }, context),
      );
      if (!found) continue;
      if ('whyNot' in found) toRead.push({ selected, whyNot: found.whyNot });
      else yield* pages(selected.stream, found, undefined);
    }
    if (toRead.length === 0) return;
    const streams = toRead.map(({ selected }) => selected);
    isHandedOver = true;
    for await (const { stream, found } of readSums(run, { database, streams, point }, context)) {
      const whyNot = toRead.find(({ selected }) => selected.stream === stream)?.whyNot;
      yield* pages(stream, found, `compared by reading all rows: ${whyNot}`);
    }
  } finally {
    if (!isHandedOver) await point.snapshot?.[Symbol.asyncDispose]();
  }
}

/** One moment for all streams. That of streams that follow the log has a place in it, so that their tables can be brought to just there. */
async function holdPoint(
  run: VerifyRun,
  database: Database,
  context: RunContext,
): Promise<{ point: ConsistentPoint; position?: unknown }> {
  const followed = run.streams.some(({ changes }) => changes);
  const changeLog = followed ? database.openChangeLog?.(run.pipeline) : undefined;
  if (!changeLog) return { point: await openPoint(database, 'snapshot', context) };
  await using _ = changeLog;
  const snapshot = await changeLog.holdSnapshot();
  return { point: { consistency: 'snapshot', snapshot }, position: snapshot.position };
}

/** Gives what work gives; a fault of the stream alone is reported. */
async function reporting<Result>(
  { stream }: SelectedStream,
  context: RunContext,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (thrown) {
    context.signal.throwIfAborted();
    const { code, message, help } = asConnectorError(thrown);
    context.report(new ConnectorError(code, message, { cause: thrown, stream, help }));
    return undefined;
  }
}

function* pages(stream: string, { ranges, listed }: SummedRows, note: string | undefined): Generator<VerifyMessage> {
  const said = note === undefined ? {} : { note };
  yield { type: 'SUMS', stream, sums: ranges.slice(0, PAGE), ...said };
  for (let at = PAGE; at < ranges.length; at += PAGE) {
    yield { type: 'SUMS', stream, sums: ranges.slice(at, at + PAGE) };
  }
  for (let at = 0; at < listed.length; at += PAGE) yield { type: 'LISTED', stream, rows: listed.slice(at, at + PAGE) };
}
