import { ConnectorError, parsePrimitive } from '@fjord/core';
import { BatchBuilder } from '@fjord/core/arrow';
import { type EncodedBatch, Rejections, type UnrepresentablePolicy } from '@fjord/replication';
import type { RowDecoder as TakenDecoder } from '@fjord/replication/connection';
import { parseColumnDefinition, widthOf } from './column-definitions.ts';
import { type Decoder, makeDecoder } from './decoder.ts';
import { isExpected } from './expected-types.ts';
import { readLength } from './lengths.ts';
import { PacketBuffer } from './packet-buffer.ts';
import type { RowColumn } from './row-column.ts';
import { serverError } from './server-messages.ts';

/** First bytes of packets (MySQL, Client/Server Protocol, Generic Response Packets). */
const ERR = 0xff;
const EOF = 0xfe;
/** An EOF packet is shorter than a row that could begin with its byte. */
const EOF_BYTES = 9;

/** Offsets of one run of rows: few enough to stay in the processor's cache together with the bytes. */
const MAX_OFFSETS = 64 * 1024;
const MAX_RUN_ROWS = 4096;
/** Larger batches gain nothing in encoding or framing. */
const MAX_BATCH_ROWS = 65_536;

export type RowDecoderOptions = {
  /** The stream that error messages name. */
  stream: string;
  unrepresentable: UnrepresentablePolicy;
  batchBytes: number;
};

/**
 * Turns the answer to COM_STMT_EXECUTE (MySQL, Client/Server Protocol, Binary Protocol Resultset), as its bytes come from the socket, into Arrow
 * batches. Two passes over each run of rows: the first notes where every field lies, the second decodes column by column in loops over one type.
 */
export class RowDecoder implements TakenDecoder {
  isFinished = false;
  serverError: Error | undefined;
  readonly #options: RowDecoderOptions;
  readonly #builder: BatchBuilder;
  readonly #columns: readonly RowColumn[];
  readonly #decoders: Decoder[];
  readonly #rejections: Rejections[];
  readonly #packets = new PacketBuffer();
  readonly #widths: Uint8Array;
  readonly #offsets: Int32Array;
  readonly #lengths: Int32Array;
  readonly #runRows: number;
  #part: 'header' | 'columns' | 'rows' = 'header';
  #columnsSeen = 0;
  #runLength = 0;
  #batches: EncodedBatch[] = [];

  constructor(columns: readonly RowColumn[], options: RowDecoderOptions) {
    this.#columns = columns;
    this.#options = options;
    this.#builder = new BatchBuilder(columns);
    const court = { policy: options.unrepresentable, stream: options.stream };
    this.#rejections = columns.map((column) => Rejections.of(column, court));
    this.#decoders = columns.map((column, index) =>
      makeDecoder(column.wire, { scale: scaleOf(column), rejections: this.#rejections[index]! }),
    );
    this.#widths = new Uint8Array(columns.length);
    this.#runRows = Math.max(1, Math.min(MAX_RUN_ROWS, Math.floor(MAX_OFFSETS / Math.max(1, columns.length))));
    this.#offsets = new Int32Array(this.#runRows * columns.length);
    this.#lengths = new Int32Array(this.#runRows * columns.length);
  }

  push(chunk: Uint8Array): EncodedBatch[] {
    this.#packets.append(chunk);
    for (let packet = this.#packets.next(); packet; packet = this.#packets.next()) this.#take(packet);
    this.#decodeRun();
    return this.#batches.splice(0);
  }

  end(): EncodedBatch[] {
    if (this.#builder.rows > 0 || this.#rejections.some(({ count }) => count > 0)) this.#finishBatch();
    return this.#batches.splice(0);
  }

  #take({ from, to }: { from: number; to: number }): void {
    const { bytes } = this.#packets;
    const first = bytes[from];
    if (first === 0 && this.#part === 'rows') return this.#noteRow(from, to);
    if (first === ERR) {
      this.serverError = serverError(bytes.subarray(from, to));
      this.isFinished = true;
    } else if (this.#part === 'header') {
      const { value: count } = readLength(bytes, from);
      if (count !== this.#columns.length)
        throw new Error(`the server sends ${count} columns, not ${this.#columns.length}`);
      this.#part = 'columns';
    } else if (first === EOF && to - from < EOF_BYTES) {
      if (this.#part === 'rows') this.isFinished = true;
      this.#part = 'rows';
    } else if (this.#part === 'columns') this.#takeColumn(bytes.subarray(from, to));
    else throw new Error('the server sent a packet that is no row');
  }

  /** A column's type may have changed since it was looked up. */
  #takeColumn(payload: Buffer): void {
    const column = this.#columns[this.#columnsSeen];
    const definition = parseColumnDefinition(payload);
    if (!column || !isExpected(definition, { wire: column.wire, scale: scaleOf(column) })) {
      const { stream } = this.#options;
      const message = `The type of column "${column?.name ?? ''}" of ${stream} was altered since it was looked up.`;
      throw new ConnectorError('plan_outdated', message, { stream });
    }
    this.#widths[this.#columnsSeen++] = widthOf(definition.type);
  }

  /** Pass one: where the fields of a row lie. Behind a zero stands a bit for each that is null, from the third on. */
  #noteRow(from: number, to: number): void {
    const { bytes } = this.#packets;
    const widths = this.#widths;
    const fields = widths.length;
    const offsets = this.#offsets;
    const lengths = this.#lengths;
    const nulls = from + 1;
    let at = nulls + ((fields + 9) >> 3);
    let o = this.#runLength * fields;
    for (let field = 0; field < fields; field++, o++) {
      const bit = field + 2;
      if ((bytes[nulls + (bit >> 3)]! & (1 << (bit & 7))) !== 0) {
        offsets[o] = -1;
        continue;
      }
      let length = widths[field]!;
      if (length === 0) {
        length = bytes[at++]!;
        if (length > 250) {
          const long = readLength(bytes, at - 1);
          length = long.value;
          at = long.next;
        }
        lengths[o] = length;
      }
      offsets[o] = at;
      at += length;
    }
    if (at !== to) throw new Error('a row of the server is not as long as its fields');
    if (++this.#runLength === this.#runRows) this.#decodeRun();
  }

  /** Pass two: decodes the noted rows column by column. */
  #decodeRun(): void {
    const rows = this.#runLength;
    if (rows === 0) return;
    this.#runLength = 0;
    const builder = this.#builder;
    const base = builder.rows;
    builder.reserve(base + rows);
    const { bytes, view } = this.#packets;
    const fields = { bytes, view, offsets: this.#offsets, lengths: this.#lengths, stride: this.#columns.length };
    for (const [field, decode] of this.#decoders.entries()) {
      const column = builder.columns[field]!;
      decode({ fields, field, rows, base }, column);
      column.length = base + rows;
    }
    builder.rows = base + rows;
    if (builder.rows >= MAX_BATCH_ROWS || builder.byteLength >= this.#options.batchBytes) this.#finishBatch();
  }

  #finishBatch(): void {
    const rejected: Record<string, number> = {};
    for (const rejections of this.#rejections) {
      if (rejections.count > 0) rejected[rejections.path] = rejections.count;
      rejections.count = 0;
    }
    this.#batches.push({ ...this.#builder.finish(), rejected });
  }
}

function scaleOf({ type }: RowColumn): number {
  const primitive = typeof type === 'string' ? parsePrimitive(type) : undefined;
  return primitive?.kind === 'decimal' ? primitive.scale : 0;
}
