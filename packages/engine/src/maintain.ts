import { ConnectorError, type Message, type Selection } from '@fjord/core';
import { askMaintenance, askSpec } from './ask-connector.ts';
import type { Session } from './session.ts';
import { matchesPattern } from './stream-pattern.ts';

/** What `maintain` puts in order, and whom it tells. */
export type MaintainOptions = {
  /** Patterns of streams: all of the pipeline's unless any is given. */
  streams: readonly string[];
  isDryRun: boolean;
  onMessage(message: Message<'MAINTENANCE'>): void;
};

/** Puts the tables of a pipeline's streams in order, by its destination. `unsupported` if that has no maintenance. */
export async function maintain(session: Session, { streams, isDryRun, onMessage }: MaintainOptions): Promise<void> {
  const [{ capabilities, name }, { selected }] = await Promise.all([
    askSpec(session.destination, session.context),
    session.selectTables(),
  ]);
  if (!capabilities.maintenance) {
    throw new ConnectorError('unsupported', `The destination ${name} has no maintenance.`);
  }
  for (const pattern of streams) {
    if (selected.some((stream) => matchesPattern(pattern, stream))) continue;
    throw new ConnectorError('config_invalid', `No stream of the pipeline matches "${pattern}".`, {
      help: 'Give --stream a stream or pattern that `fjord discover` lists and the pipeline chooses.',
    });
  }
  const chosen = selected.filter(
    (stream) => streams.length === 0 || streams.some((pattern) => matchesPattern(pattern, stream)),
  );
  const selection: Selection = { pipeline: session.pipeline.id, streams: chosen };
  const file = await session.folder.write('maintain.json', selection);
  const files = { config: session.configs.destination, streams: file };
  await askMaintenance(session.destination, { files, isDryRun, onMessage }, session.context);
}
