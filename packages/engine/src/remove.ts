import type { Message } from '@fjord/core';
import { askTables } from './ask-connector.ts';
import type { Session } from './session.ts';

/**
 * Removes what a pipeline keeps beside its tables: first in the source, where a forgotten slot would fill the disk, then in the destination.
 * Calls `onRemoved` for each thing that is gone. Run again after a fault it goes on.
 */
export async function removePipeline(
  session: Session,
  onRemoved: (message: Message<'REMOVED'>) => void,
): Promise<void> {
  const [specs, { file }] = await Promise.all([
    session.specs(),
    session.catalog().then((catalog) => session.select(catalog)),
  ]);
  const { source, destination, configs, context } = session;
  const parts = [
    { connector: source, config: configs.source },
    { connector: destination, config: configs.destination },
  ];
  for (const [index, { connector, config }] of parts.entries()) {
    if (!specs[index]?.capabilities.removal) continue;
    const args = ['--config', config, '--streams', file];
    await askTables(connector, { verb: 'remove', args, types: ['REMOVED'] }, { ...context, take: onRemoved });
  }
}
