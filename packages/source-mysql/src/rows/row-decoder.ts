import { ConnectorError, parsePrimitive } from '@fjord/core';
import { type EncodedBatch, Rejections, RowRuns, rowsOfRun, type UnrepresentablePolicy } from '@fjord/replication';
import type { RowDecoder as TakenDecoder } from '@fjord/replication/connection';
import { parseColumnDefinition, widthOf } from './column-definitions.ts';
import { makeDecoder } from './decoder.ts';
import { isExpected } from './expected-types.ts';
import type { Fields } from './fields.ts';
import { readLength } from './lengths.ts';
import { PacketBuffer } from './packet-buffer.ts';
import type { RowColumn } from './row-column.ts';
import { serverError } from './server-messages.ts';

/** First bytes of packets (MySQL, Client/Server Protocol, Generic Response Packets). */
const ERR = 0xff;
const EOF = 0xfe;
/** An EOF packet is shorter than a row that could begin with its byte. */
const EOF_BYTES = 9;

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
  readonly #runs: RowRuns<Fields>;
  readonly #columns: readonly RowColumn[];
  readonly #packets = new PacketBuffer();
  readonly #widths: Uint8Array;
  readonly #offsets: Int32Array;
  readonly #lengths: Int32Array;
  readonly #runRows: number;
  #part: 'header' | 'columns' | 'rows' = 'header';
  #columnsSeen = 0;
  #runLength = 0;

  constructor(columns: readonly RowColumn[], options: RowDecoderOptions) {
    this.#columns = columns;
    this.#options = options;
    const court = { policy: options.unrepresentable, stream: options.stream };
    const rejections = columns.map((column) => Rejections.of(column, court));
    const decoders = columns.map((column, index) =>
      makeDecoder(column.wire, { scale: scaleOf(column), rejections: rejections[index]! }),
    );
    this.#runs = new RowRuns(columns, { decoders, rejections, batchBytes: options.batchBytes });
    this.#widths = new Uint8Array(columns.length);
    this.#runRows = rowsOfRun(columns.length);
    this.#offsets = new Int32Array(this.#runRows * columns.length);
    this.#lengths = new Int32Array(this.#runRows * columns.length);
  }

  push(chunk: Uint8Array): EncodedBatch[] {
    this.#packets.append(chunk);
    for (let packet = this.#packets.next(); packet; packet = this.#packets.next()) this.#take(packet);
    this.#decodeRun();
    return this.#runs.take();
  }

  end(): EncodedBatch[] {
    return this.#runs.end();
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
    const { bytes, view } = this.#packets;
    const places = { offsets: this.#offsets, lengths: this.#lengths, stride: this.#columns.length };
    this.#runs.decode(rows, { bytes, view, ...places });
  }
}

function scaleOf({ type }: RowColumn): number {
  const primitive = typeof type === 'string' ? parsePrimitive(type) : undefined;
  return primitive?.kind === 'decimal' ? primitive.scale : 0;
}
