import type { DestinationDefinition, DestinationWriter } from '../destination.ts';
import { ConnectorError } from '../errors.ts';
import type { Selection } from '../protocol/catalog.ts';
import type { DestinationMessage, Message } from '../protocol/messages.ts';
import { readWire } from '../protocol/wire-reader.ts';
import type { WireWriter } from '../protocol/wire-writer.ts';
import type { RunContext } from '../run-context.ts';
import type { Arguments } from './arguments.ts';
import { toDestinationMessage } from './incoming-message.ts';
import { RecordGatherer } from './record-gatherer.ts';

type WriteRun = {
  definition: DestinationDefinition;
  config: unknown;
  selection: Selection;
  args: Arguments;
  out: WireWriter;
};

/** Runs a destination's `write`: prints the durable states, hands over the messages of stdin, and says what became of each stream. */
export async function runWrite(run: WriteRun, context: RunContext): Promise<void> {
  const { definition, selection, args, out } = run;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  context.signal.addEventListener('abort', () => failure.reject(context.signal.reason));
  const request = {
    config: run.config,
    pipeline: selection.pipeline,
    streams: selection.streams,
    memoryBytes: args.memoryBytes,
    follow: args.follow,
    printState: args.printState,
  };
  await using writer = await definition.open(request, {
    ...context,
    durable: (state) => void out.write(state).catch(failure.reject),
    fail: (error) => failure.reject(error),
  });
  for (const state of await writer.states()) await out.write(state);
  if (args.printState) return out.flush();
  await out.write({ type: 'STATUS', status: 'STARTED' });
  await out.flush();
  const { failed, statuses } = await Promise.race([consume(run, writer), failure.promise]);
  for (const status of statuses) await out.write(status);
  await out.flush();
  if (failed.length > 0) {
    throw new ConnectorError('streams_failed', `These streams could not be written: ${failed.join(', ')}.`);
  }
}

type Outcome = { failed: string[]; statuses: Message<'STATUS'>[] };

/** Hands every message to the writer; resolves with the STATUS lines to print, the run's own last. */
async function consume(run: WriteRun, writer: DestinationWriter): Promise<Outcome> {
  const statuses = new Map<string, Message<'STATUS'>>();
  const schemas: Schemas = new Map();
  const gatherer = run.definition.formats.includes('arrow') ? new RecordGatherer(writer) : undefined;
  const deliver = (message: DestinationMessage) => (gatherer ? gatherer.write(message) : writer.write(message));
  let end: Message<'STATUS'> | undefined;
  try {
    for await (const incoming of readWire(0)) {
      const message = toDestinationMessage(incoming);
      if (!message) continue;
      if (message.type === 'STATUS') {
        if (message.stream !== undefined) statuses.set(message.stream, message);
        else end = message;
      }
      for (const one of await inFormats(run, message, schemas)) await deliver(one);
      if (end) break;
    }
  } catch (error) {
    // A source that dies in mid-message is a broken run like any other end without COMPLETE.
    if (!(error instanceof ConnectorError && error.code === 'run_broken')) throw error;
  }
  const complete = end?.status === 'COMPLETE';
  const { failed } = await writer.finish(complete ? 'complete' : 'broken');
  if (!complete) {
    throw new ConnectorError('run_broken', 'The source ended before it said that the run is complete.');
  }
  for (const stream of failed) statuses.set(stream, { type: 'STATUS', stream, status: 'INCOMPLETE' });
  const terminal = [...statuses.values()].filter(({ status }) => status === 'COMPLETE' || status === 'INCOMPLETE');
  return { failed, statuses: [...terminal, { type: 'STATUS', status: 'COMPLETE' }] };
}

type Schemas = Map<string, Message<'SCHEMA'>>;

/** A BATCH as RECORDs for a destination that takes only JSON lines; everything else as it is. */
async function inFormats(
  run: WriteRun,
  message: DestinationMessage,
  schemas: Schemas,
): Promise<Iterable<DestinationMessage>> {
  if (message.type === 'SCHEMA') schemas.set(message.stream, message);
  if (message.type !== 'BATCH' || run.definition.formats.includes('arrow')) return [message];
  const { recordsOf } = await import('./batch-records.ts');
  return recordsOf(message, schemas.get(message.stream)?.columns ?? []);
}
