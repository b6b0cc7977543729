import type { DestinationDefinition } from '../destination.ts';
import { ConnectorError } from '../errors.ts';
import type { Selection } from '../protocol/catalog.ts';
import { VerificationSchema } from '../protocol/verification.ts';
import type { WireWriter } from '../protocol/wire-writer.ts';
import type { RunContext } from '../run-context.ts';
import type { SourceDefinition } from '../source.ts';
import type { Arguments } from './arguments.ts';
import { loadShaped } from './input-files.ts';

type VerifyRun = {
  definition: SourceDefinition | DestinationDefinition;
  config: unknown;
  selection: Selection;
  args: Arguments;
  out: WireWriter;
};

/** Runs a connector's `verify`, which only reads; a last STATUS says that all is told. Fails with the streams whose rows could not be summed. */
export async function runVerify(run: VerifyRun, context: RunContext): Promise<void> {
  const { definition, config, args, out } = run;
  if (!definition.verify) {
    throw new ConnectorError('unsupported', `The ${definition.kind} ${definition.name} has no verb verify.`);
  }
  const { streams: sums } = loadShaped(args.sums ?? '', VerificationSchema, 'The file of --sums');
  for (const [stream, { ranges }] of Object.entries(sums)) {
    if ((ranges & (ranges - 1)) === 0) continue;
    throw new ConnectorError('arguments_invalid', `The ranges of ${stream} are ${ranges}, which is no power of two.`);
  }
  const { pipeline } = run.selection;
  const streams = run.selection.streams.filter(({ stream }) => sums[stream]);
  const failed: string[] = [];
  const report: RunContext['report'] = (error) => {
    if (error.stream !== undefined) failed.push(error.stream);
    context.report(error);
  };
  const request = { config, pipeline, streams, sums, memoryBytes: args.memoryBytes };
  for await (const message of definition.verify(request, { ...context, report })) {
    context.signal.throwIfAborted();
    await out.write(message);
    await out.flush();
  }
  await out.write({ type: 'STATUS', status: 'COMPLETE' });
  if (failed.length > 0) {
    await out.flush();
    throw new ConnectorError('streams_failed', `The rows of these streams could not be summed: ${failed.join(', ')}.`);
  }
}
