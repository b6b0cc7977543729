import type { DestinationDefinition } from '../destination.ts';
import { ConnectorError } from '../errors.ts';
import type { Selection } from '../protocol/catalog.ts';
import type { Message } from '../protocol/messages.ts';
import type { WireWriter } from '../protocol/wire-writer.ts';
import type { RunContext } from '../run-context.ts';
import type { Arguments } from './arguments.ts';
import { readText } from './input-files.ts';

type LookRun = {
  definition: DestinationDefinition;
  config: unknown;
  selection: Selection;
  args: Arguments;
  out: WireWriter;
};

/** Runs a destination's `inspect` or `query`, which only read; a last STATUS says that nothing is missing. */
export async function runLook(run: LookRun, context: RunContext): Promise<void> {
  for await (const message of look(run, context)) {
    context.signal.throwIfAborted();
    await run.out.write(message);
  }
  await run.out.write({ type: 'STATUS', status: 'COMPLETE' });
}

function look(
  { definition, config, selection, args }: LookRun,
  context: RunContext,
): AsyncIterable<Message<'TABLE' | 'RESULT' | 'ROWS'>> {
  const { pipeline, streams } = selection;
  const request = { config, pipeline, streams, memoryBytes: args.memoryBytes };
  if (args.verb === 'inspect' && definition.inspect) return definition.inspect(request, context);
  if (args.verb === 'query' && definition.query) {
    return definition.query({ ...request, sql: readText(args.sql ?? '', 'The SQL file') }, context);
  }
  throw new ConnectorError('unsupported', `The destination ${definition.name} has no verb ${args.verb}.`);
}
