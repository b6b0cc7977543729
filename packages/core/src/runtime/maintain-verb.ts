import type { DestinationDefinition } from '../destination.ts';
import { ConnectorError } from '../errors.ts';
import type { Selection } from '../protocol/catalog.ts';
import type { WireWriter } from '../protocol/wire-writer.ts';
import type { RunContext } from '../run-context.ts';
import type { Arguments } from './arguments.ts';

type MaintainRun = {
  definition: DestinationDefinition;
  config: unknown;
  selection: Selection;
  args: Arguments;
  out: WireWriter;
};

/** Runs a destination's `maintain`: prints a MAINTENANCE line for each table, and fails with the streams whose own failed. */
export async function runMaintain(run: MaintainRun, context: RunContext): Promise<void> {
  const { definition, config, args, out } = run;
  const { pipeline, streams } = run.selection;
  if (!definition.maintain) {
    throw new ConnectorError('unsupported', `The destination ${definition.name} has no maintenance.`);
  }
  const failed: string[] = [];
  const report: RunContext['report'] = (error) => {
    if (error.stream !== undefined) failed.push(error.stream);
    context.report(error);
  };
  const request = { config, pipeline, streams, memoryBytes: args.memoryBytes, isDryRun: args.dryRun };
  for await (const message of definition.maintain(request, { ...context, report })) {
    await out.write(message);
    await out.flush();
  }
  if (failed.length > 0) {
    throw new ConnectorError(
      'streams_failed',
      `The tables of these streams could not be maintained: ${failed.join(', ')}.`,
    );
  }
}
