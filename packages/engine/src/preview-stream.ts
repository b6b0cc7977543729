import { type Column, ConnectorError, type SelectedStream, type Selection } from '@fjord/core';
import { ConnectorFailed } from './ask-connector.ts';
import { ConnectorProcess } from './connector-process.ts';
import { decodeMessage } from './decode-message.ts';
import { findCause } from './failure.ts';
import { nameOf } from './stream-pattern.ts';
import type { Session } from './session.ts';

/** The first rows of a stream as its table would get them: values as in a RECORD, types as in the table. */
export type Preview = { stream: string; target: string; columns: Column[]; rows: Record<string, unknown>[] };

/** The source has its connections to close. */
const STOP_MS = 1_000;

/**
 * Reads the first rows of a stream, filter, columns and transforms applied, and leaves nothing behind: the change log is not opened, no
 * state is kept. Refuses a stream that the pipeline does not choose.
 */
export async function previewStream(
  session: Session,
  { name, limit }: { name: string; limit: number },
): Promise<Preview> {
  const { selected } = await session.select(await session.catalog());
  const stream = findStream(selected, name);
  const { changes: _, incremental: __, ...whole } = stream;
  const selection: Selection = { pipeline: session.pipeline.id, streams: [{ ...whole, writeMode: 'append' }] };
  const file = await session.folder.write('preview.json', selection);
  const target = [...stream.target.namespace, stream.target.name].join('.');
  return { stream: stream.stream, target, columns: stream.columns, rows: await readRows(session, { file, limit }) };
}

async function readRows({ source, configs, context }: Session, { file, limit }: { file: string; limit: number }) {
  const rows: Record<string, unknown>[] = [];
  const child: ConnectorProcess = new ConnectorProcess({
    ...context,
    connector: source,
    args: ['read', '--config', configs.source, '--streams', file, '--format', 'jsonl'],
    onMessage(line) {
      if (rows.length >= limit) return;
      const record = decodeMessage(line, 'RECORD', source.name);
      if (record) rows.push(record.data);
      if (rows.length >= limit) void child.stop(STOP_MS);
    },
  });
  await using _ = child;
  const stop = () => void child.stop(STOP_MS);
  context.signal?.addEventListener('abort', stop, { once: true });
  await child.ended;
  context.signal?.removeEventListener('abort', stop);
  context.signal?.throwIfAborted();
  const failure = rows.length < limit ? findCause(child.failures) : undefined;
  if (failure) throw new ConnectorFailed(failure);
  return rows;
}

/** The stream of that id, else the only one of that bare name. */
function findStream(selected: readonly SelectedStream[], name: string): SelectedStream {
  const whole = selected.find(({ stream }) => stream === name);
  const others = selected.filter((stream) => nameOf(stream) === name || stream.name === name);
  const [only, second] = whole ? [whole] : others;
  if (only && !second) return only;
  throw new ConnectorError(
    'arguments_invalid',
    second ? `Several streams are called ${name}.` : `The pipeline chooses no stream ${name}.`,
    { help: `Its streams are ${(second ? others : selected).map(({ stream }) => stream).join(', ')}.` },
  );
}
