import { ConnectorError, type Message, type SelectedStream } from '@fjord/core';

/** Refuses filters, transforms and renames for a source that would not heed them: rows and values must not slip through. */
export function requireShapes({ name, capabilities }: Message<'SPEC'>, selected: readonly SelectedStream[]): void {
  if (capabilities.shapes) return;
  const shaped = selected.find(({ shape }) => shape !== undefined);
  if (!shaped) return;
  throw new ConnectorError(
    'config_invalid',
    `The source ${name} cannot filter rows nor rename or transform columns, as ${shaped.stream} needs it.`,
    { help: 'Take `filter`, `rename` and `transform` out of the entry, or update the source.' },
  );
}
