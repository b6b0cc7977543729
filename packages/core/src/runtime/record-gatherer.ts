import type { Column } from '../column-type.ts';
import type { DestinationWriter } from '../destination.ts';
import { ConnectorError } from '../errors.ts';
import type { BatchMessage, DestinationMessage, Message } from '../protocol/messages.ts';

/** A gathered batch goes on when it holds this many rows or bytes: large enough for columns to pay, small enough to stay in cache. */
const MAX_ROWS = 8192;
const MAX_BYTES = 4 * 1024 * 1024;

type BatchBuilder = import('../arrow/index.ts').BatchBuilder;
type Place = Pick<BatchMessage, 'stream' | 'kind' | 'chunk' | 'attempt' | 'schema'>;
type Gathering = { builder: BatchBuilder; place: Place; lastOp: Message<'RECORD'>['op'] };
type Schema = { version: number; columns: Column[]; primaryKey: string[] };

/** Gathers RECORDs into batches for a destination that takes Arrow; every other message first sends on what its stream has gathered. */
export class RecordGatherer {
  readonly #writer: DestinationWriter;
  readonly #schemas = new Map<string, Schema>();
  readonly #gathering = new Map<string, Gathering>();

  constructor(writer: DestinationWriter) {
    this.#writer = writer;
  }

  async write(message: DestinationMessage): Promise<void> {
    if (message.type === 'RECORD') return this.#append(message);
    await this.#sendGathered(message.stream);
    if (message.type === 'SCHEMA') this.#schemas.set(message.stream, message);
    await this.#writer.write(message);
  }

  async #append(record: Message<'RECORD'>): Promise<void> {
    const { stream, chunk = '', attempt = '', op } = record;
    const schema = this.#schemas.get(stream);
    if (!schema) throw new ConnectorError('protocol_violation', `A RECORD of stream ${stream} came before its SCHEMA.`);
    const key = `${stream}\n${chunk}\n${attempt}\n${op === undefined ? 'backfill' : 'changes'}`;
    const { appendRecord, changeToRow } = await import('../arrow/index.ts');
    const gathering = await this.#gatheringFor(record, { key, schema });
    const { builder } = gathering;
    appendRecord(builder, op === undefined ? record.data : changeToRow(record, schema.columns));
    gathering.lastOp = op;
  }

  /** The gathering that a record belongs to. Its `c` stays in one batch with the `d` before it: together they may be a change of key. */
  async #gatheringFor(record: Message<'RECORD'>, { key, schema }: { key: string; schema: Schema }): Promise<Gathering> {
    const open = this.#gathering.get(key);
    if (!open) return this.#begin(record, { key, schema });
    const isFull = open.builder.rows >= MAX_ROWS || open.builder.byteLength >= MAX_BYTES;
    if (!isFull || (open.lastOp === 'd' && record.op === 'c')) return open;
    await this.#send(key, open);
    return this.#begin(record, { key, schema });
  }

  async #begin(record: Message<'RECORD'>, { key, schema }: { key: string; schema: Schema }): Promise<Gathering> {
    const { BatchBuilder, changeBatchColumns } = await import('../arrow/index.ts');
    const { stream, chunk, attempt, op } = record;
    // Changes and rows that belong to no chunk keep their order.
    if (chunk === undefined) await this.#sendGathered(stream);
    const place = {
      stream,
      kind: op === undefined ? ('backfill' as const) : ('changes' as const),
      schema: schema.version,
      ...(chunk !== undefined && { chunk }),
      ...(attempt !== undefined && { attempt }),
    };
    const columns = op === undefined ? schema.columns : changeBatchColumns(schema.columns, schema.primaryKey);
    const gathering: Gathering = { builder: new BatchBuilder(columns), place, lastOp: op };
    this.#gathering.set(key, gathering);
    return gathering;
  }

  async #sendGathered(stream: string | undefined): Promise<void> {
    for (const [key, gathering] of this.#gathering) {
      if (stream === undefined || gathering.place.stream === stream) await this.#send(key, gathering);
    }
  }

  async #send(key: string, { builder, place }: Gathering): Promise<void> {
    this.#gathering.delete(key);
    if (builder.rows > 0) await this.#writer.write({ type: 'BATCH', ...place, ...builder.finish() });
  }
}
