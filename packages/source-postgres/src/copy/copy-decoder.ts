import { type EncodedBatch, Rejections, RowRuns, rowsOfRun } from '@fjord/replication';
import type { UnrepresentablePolicy } from '../config.ts';
import type { CopyColumn } from './copy-column.ts';
import { makeDecoder } from './decoder.ts';
import type { Fields } from './fields.ts';

/** Message types of the server (PostgreSQL manual, Message Formats). */
const COPY_DATA = 0x64;

/** `PGCOPY\n\xff\r\n\0`, flags and the length of an extension (manual, COPY, Binary Format, File Header). */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER_BYTES = SIGNATURE.length + 8;

/** A first buffer takes several reads of the socket; it doubles for rows that are larger. */
const BUFFER_BYTES = 512 * 1024;

export type CopyDecoderOptions = {
  /** The stream that error messages name. */
  stream: string;
  unrepresentable: UnrepresentablePolicy;
  batchBytes: number;
  /** Takes every message that is no CopyData: its type and its payload, valid during the call. */
  onMessage(type: number, payload: Buffer): void;
};

/**
 * Turns the bytes of a COPY (FORMAT binary), as they come from the socket in CopyData messages, into Arrow batches. Two passes over each
 * run of rows: the first notes where every field lies, the second decodes column by column in loops over one type.
 */
export class CopyDecoder {
  readonly #options: CopyDecoderOptions;
  readonly #runs: RowRuns<Fields>;
  readonly #columns: readonly CopyColumn[];
  readonly #offsets: Int32Array;
  readonly #runRows: number;
  #bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #view = viewOf(this.#bytes);
  #start = 0;
  #end = 0;
  #hasHeader = false;
  #runLength = 0;

  constructor(columns: readonly CopyColumn[], options: CopyDecoderOptions) {
    this.#columns = columns;
    this.#options = options;
    const court = { policy: options.unrepresentable, stream: options.stream };
    const made = columns.map((column) => makeDecoder({ ...column, rejections: Rejections.of(column, court) }));
    this.#runs = new RowRuns(columns, {
      decoders: made.map(({ decode }) => decode),
      rejections: made.flatMap(({ rejections }) => rejections),
      batchBytes: options.batchBytes,
    });
    this.#runRows = rowsOfRun(columns.length);
    this.#offsets = new Int32Array(this.#runRows * columns.length);
  }

  /** Takes the next bytes of the socket, cut anywhere; gives the batches that they complete. */
  push(chunk: Uint8Array): EncodedBatch[] {
    this.#append(chunk);
    this.#readMessages();
    this.#decodeRun();
    return this.#runs.take();
  }

  /** The rows that no batch holds yet. */
  end(): EncodedBatch[] {
    return this.#runs.end();
  }

  #append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Moves the incomplete message to the front, into a larger buffer if it needs one. */
  #makeRoom(bytes: number): void {
    const kept = this.#end - this.#start;
    const old = this.#bytes;
    if (kept + bytes > old.length) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(old.length * 2, kept + bytes));
      this.#view = viewOf(this.#bytes);
    }
    old.copy(this.#bytes, 0, this.#start, this.#end);
    this.#start = 0;
    this.#end = kept;
  }

  /** Pass one: walks the complete messages and notes the fields of each row. */
  #readMessages(): void {
    const view = this.#view;
    for (let at = this.#start; at + 5 <= this.#end;) {
      const length = view.getInt32(at + 1);
      const next = at + 1 + length;
      if (next > this.#end) break;
      if (this.#bytes[at] === COPY_DATA) this.#readTuples(at + 5, next);
      else {
        this.#decodeRun();
        this.#options.onMessage(this.#bytes[at] ?? 0, this.#bytes.subarray(at + 5, next));
      }
      at = next;
      this.#start = next;
    }
  }

  /** PostgreSQL puts whole tuples into a CopyData message, one each, the header before the first. */
  #readTuples(from: number, to: number): void {
    let at = this.#hasHeader ? from : this.#readHeader(from, to);
    const view = this.#view;
    const fields = this.#columns.length;
    const offsets = this.#offsets;
    while (at < to) {
      const count = view.getInt16(at);
      // The trailer is a tuple of -1 fields.
      if (count === -1) return;
      if (count !== fields) throw new Error(`COPY sent ${count} fields for ${fields} columns`);
      at += 2;
      let o = this.#runLength * fields;
      for (let field = 0; field < fields; field++) {
        const length = view.getInt32(at);
        at += 4;
        offsets[o++] = at;
        if (length > 0) at += length;
      }
      if (at > to) throw new Error('COPY cut a tuple into several messages');
      if (++this.#runLength === this.#runRows) this.#decodeRun();
    }
  }

  #readHeader(from: number, to: number): number {
    if (to - from < HEADER_BYTES || SIGNATURE.compare(this.#bytes, from, from + SIGNATURE.length) !== 0) {
      throw new Error('COPY did not begin with the header of its binary format');
    }
    this.#hasHeader = true;
    return from + HEADER_BYTES + this.#view.getInt32(from + HEADER_BYTES - 4);
  }

  /** Pass two: decodes the noted rows column by column. */
  #decodeRun(): void {
    const rows = this.#runLength;
    if (rows === 0) return;
    this.#runLength = 0;
    const places = { offsets: this.#offsets, stride: this.#columns.length };
    this.#runs.decode(rows, { bytes: this.#bytes, view: this.#view, ...places });
  }
}

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
