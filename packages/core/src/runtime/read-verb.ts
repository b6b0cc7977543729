import { ConnectorError } from '../errors.ts';
import type { Column } from '../column-type.ts';
import type { SelectedStream, Selection } from '../protocol/catalog.ts';
import type { BatchMessage, Message, SourceMessage } from '../protocol/messages.ts';
import { readWire } from '../protocol/wire-reader.ts';
import type { WireWriter } from '../protocol/wire-writer.ts';
import type { RunContext } from '../run-context.ts';
import type { ReadRequest, SourceDefinition } from '../source.ts';
import type { Arguments } from './arguments.ts';
import { loadShaped, type States } from './input-files.ts';
import { RepairSchema } from '../protocol/verification.ts';
import { Type } from '../schema.ts';

type ReadRun = {
  definition: SourceDefinition;
  config: unknown;
  selection: Selection;
  states: States;
  args: Arguments;
  out: WireWriter;
};

/** Runs a source's `read`: frames its messages and adds what every stream owes: the first STATE, its SCHEMA, its STATUS, a last STATE. */
export async function runRead(run: ReadRun, context: RunContext): Promise<void> {
  const { selection, states, out } = run;
  const sender = new StreamSender(run, context);
  for (const { stream } of selection.streams) {
    await out.write({ type: 'STATE', stream, state: states.streams.get(stream) ?? null, resumed: true });
  }
  const request: ReadRequest<unknown, unknown> = {
    config: run.config,
    pipeline: selection.pipeline,
    streams: selection.streams,
    states: states.streams,
    sharedState: states.shared,
    acknowledgements: readAcknowledgements(),
    memoryBytes: run.args.memoryBytes,
    follow: run.args.follow,
    backfill: run.args.backfill,
    ...goalOf(run.args),
  };
  try {
    for await (const message of run.definition.read(request, context)) {
      await sender.send(message);
      // A source that does not watch the signal is stopped here, between two messages.
      context.signal.throwIfAborted();
    }
    context.signal.throwIfAborted();
  } catch (error) {
    await out.write({ type: 'STATUS', status: 'INCOMPLETE' }).catch(() => undefined);
    await out.flush().catch(() => undefined);
    throw context.signal.aborted ? context.signal.reason : error;
  }
  await sender.finish();
}

type Entry = { selected: SelectedStream; columns: Column[]; schemaSent: boolean; rows: number; status: string };

/** Before these a stream's SCHEMA must have been sent. */
const NEED_SCHEMA: ReadonlySet<string> = new Set(['RECORD', 'BATCH', 'BACKFILL', 'TRUNCATE']);

/** Follows the rules of order for each stream's messages. */
class StreamSender {
  readonly #streams: Map<string, Entry>;
  readonly #run: ReadRun;
  readonly #context: RunContext;

  constructor(run: ReadRun, context: RunContext) {
    this.#run = run;
    this.#context = context;
    this.#streams = new Map(
      run.selection.streams.map((selected) => [
        selected.stream,
        { selected, columns: selected.columns, schemaSent: false, rows: 0, status: '' },
      ]),
    );
  }

  async send(message: SourceMessage): Promise<void> {
    const entry = this.#entry(message.stream);
    if (!entry) return this.#run.out.write(message);
    if (message.type === 'STATUS') entry.status = message.status;
    else if (entry.status === '') await this.#start(entry);
    if (message.type === 'SCHEMA') {
      entry.schemaSent = true;
      entry.columns = message.columns;
    }
    if (NEED_SCHEMA.has(message.type)) await this.#sendSchema(entry);
    if (message.type === 'RECORD') entry.rows += 1;
    if (message.type === 'BATCH') {
      entry.rows += message.rows;
      return this.#sendBatch(message, entry.columns);
    }
    if (message.type === 'STATE') {
      await this.#run.out.write({ ...message, rows: entry.rows });
      entry.rows = 0;
      return;
    }
    await this.#run.out.write(message);
  }

  async finish(): Promise<void> {
    for (const entry of this.#streams.values()) {
      if (entry.status === 'COMPLETE' || entry.status === 'INCOMPLETE') continue;
      // Silence about a stream that has a state says that the state holds all of it: it was never begun, and an overwrite leaves it alone.
      const isSkipped = entry.status === '' && this.#run.states.streams.get(entry.selected.stream) != null;
      if (entry.status === '' && !isSkipped) await this.#start(entry);
      await this.#sendSchema(entry);
      await this.#run.out.write({ type: 'STATUS', stream: entry.selected.stream, status: 'COMPLETE' });
    }
    await this.#run.out.write({ type: 'STATUS', status: 'COMPLETE' });
    await this.#run.out.flush();
    const failed = [...this.#streams.values()].filter((entry) => entry.status === 'INCOMPLETE');
    if (failed.length > 0) {
      const names = failed.map((entry) => entry.selected.stream).join(', ');
      throw new ConnectorError('streams_failed', `These streams did not finish: ${names}.`);
    }
  }

  #entry(stream: string | undefined) {
    if (stream === undefined) return undefined;
    const entry = this.#streams.get(stream);
    if (!entry) throw new Error(`the source sent a message for the stream ${stream}, which was not selected`);
    return entry;
  }

  async #start(entry: Entry): Promise<void> {
    entry.status = 'STARTED';
    await this.#run.out.write({ type: 'STATUS', stream: entry.selected.stream, status: 'STARTED' });
  }

  async #sendSchema(entry: Entry): Promise<void> {
    if (entry.schemaSent) return;
    entry.schemaSent = true;
    const { stream, columns, primaryKey } = entry.selected;
    await this.#run.out.write({ type: 'SCHEMA', stream, version: 1, columns, primaryKey });
  }

  async #sendBatch(message: BatchMessage, columns: Column[]): Promise<void> {
    const { body, ...line } = message;
    if (this.#run.args.format === 'arrow') {
      const bytes = body.reduce((sum, piece) => sum + piece.byteLength, 0);
      return this.#run.out.write({ ...line, bytes }, body);
    }
    const { recordsOf } = await import('./batch-records.ts');
    for (const record of recordsOf(message, columns)) {
      await this.#run.out.write(record);
      this.#context.signal.throwIfAborted();
    }
  }
}

/** How far `read` goes, and what it sends again; the files are read only if they are given. */
function goalOf({ until, repair }: Arguments): Pick<ReadRequest<unknown, unknown>, 'until' | 'repair'> {
  const goal = until === undefined ? undefined : loadShaped(until, UntilSchema, 'The file of --until');
  const again = repair === undefined ? undefined : loadShaped(repair, RepairSchema, 'The file of --repair');
  return { ...(goal && { until: goal.position }), ...(again && { repair: again.streams }) };
}

const UntilSchema = Type.Object({ position: Type.Unsafe<unknown>({}) });

/** ACK lines from stdin; the end of stdin only means that none will come any more. */
async function* readAcknowledgements(): AsyncGenerator<Message<'ACK'>> {
  for await (const message of readWire(0)) {
    if (message.type === 'ACK') yield message as unknown as Message<'ACK'>;
  }
}
