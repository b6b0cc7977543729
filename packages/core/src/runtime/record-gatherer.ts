import type { Column } from '../column-type.ts';
import type { DestinationWriter } from '../destination.ts';
import { ConnectorError } from '../errors.ts';
import type { BatchMessage, DestinationMessage, Message } from '../protocol/messages.ts';

/** A gathered batch goes on when it holds this many rows or bytes: large enough for columns to pay, small enough to stay in cache. */
const MAX_ROWS = 8192;
const MAX_BYTES = 4 * 1024 * 1024;

type BatchBuilder = import('../arrow/index.ts').BatchBuilder;
type Gathering = { builder: BatchBuilder; place: Pick<BatchMessage, 'stream' | 'chunk' | 'attempt' | 'schema'> };

/** Gathers RECORDs into batches for a destination that takes Arrow; every other message first sends on what its stream has gathered. */
export class RecordGatherer {
  readonly #writer: DestinationWriter;
  readonly #schemas = new Map<string, { version: number; columns: Column[] }>();
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
    const key = `${record.stream}\n${record.chunk ?? ''}\n${record.attempt ?? ''}`;
    const { appendRecord } = await import('../arrow/index.ts');
    const gathering = this.#gathering.get(key) ?? (await this.#begin(record, key));
    appendRecord(gathering.builder, record.data);
    if (gathering.builder.rows >= MAX_ROWS || gathering.builder.byteLength >= MAX_BYTES)
      await this.#send(key, gathering);
  }

  async #begin(record: Message<'RECORD'>, key: string): Promise<Gathering> {
    const schema = this.#schemas.get(record.stream);
    if (!schema) {
      throw new ConnectorError('protocol_violation', `A RECORD of stream ${record.stream} came before its SCHEMA.`);
    }
    const { BatchBuilder } = await import('../arrow/index.ts');
    const { stream, chunk, attempt } = record;
    const place = {
      stream,
      schema: schema.version,
      ...(chunk !== undefined && { chunk }),
      ...(attempt !== undefined && { attempt }),
    };
    const gathering = { builder: new BatchBuilder(schema.columns), place };
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
    if (builder.rows > 0) await this.#writer.write({ type: 'BATCH', kind: 'backfill', ...place, ...builder.finish() });
  }
}
