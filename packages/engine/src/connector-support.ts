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

/** Refuses a write mode that the destination does not have: rows would be added where they should replace others. */
export function requireWriteModes({ name, capabilities }: Message<'SPEC'>, selected: readonly SelectedStream[]): void {
  const { writeModes } = capabilities;
  const other = writeModes && selected.find(({ writeMode }) => !writeModes.includes(writeMode));
  if (!other) return;
  throw new ConnectorError(
    'config_invalid',
    `The destination ${name} cannot ${other.writeMode} rows, as ${other.stream} needs it.`,
    { help: `Choose another \`writeMode\` (${writeModes?.join(', ')}), or update the destination.` },
  );
}

/** Refuses to copy streams anew that the pipeline does not choose, or that do not follow the change log. */
export function requireKnown(names: readonly string[], selected: readonly SelectedStream[]): void {
  for (const name of names) {
    const stream = selected.find((other) => other.stream === name);
    if (stream?.changes) continue;
    throw new ConnectorError(
      'config_invalid',
      stream
        ? `${name} does not follow the change log: only such streams are copied anew on request.`
        : `The pipeline has no stream ${name} to copy anew.`,
      {
        help: stream
          ? 'Set `writeMode: overwrite` to have all rows replaced.'
          : 'Give it as `fjord discover` prints it.',
      },
    );
  }
}
