import type { DestinationDefinition } from '../destination.ts';
import { ConnectorError } from '../errors.ts';
import type { Selection } from '../protocol/catalog.ts';
import type { WireWriter } from '../protocol/wire-writer.ts';
import type { RunContext } from '../run-context.ts';
import type { SourceDefinition } from '../source.ts';

type RemoveRun = {
  definition: SourceDefinition | DestinationDefinition;
  config: unknown;
  selection: Selection;
  out: WireWriter;
};

/** Runs a connector's `remove`: a REMOVED line for each thing that is gone; a last STATUS says that nothing is left. */
export async function runRemove({ definition, config, selection, out }: RemoveRun, context: RunContext): Promise<void> {
  if (!definition.remove) {
    throw new ConnectorError('unsupported', `The ${definition.kind} ${definition.name} keeps nothing of pipelines.`);
  }
  for await (const message of definition.remove({ config, ...selection }, context)) {
    await out.write(message);
    await out.flush();
  }
  await out.write({ type: 'STATUS', status: 'COMPLETE' });
}
