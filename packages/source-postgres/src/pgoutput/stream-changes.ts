import type { Column } from '@fjord/core';
import { BatchBuilder, type BytesColumn, type FixedColumn } from '@fjord/core/arrow';
import type { EncodedBatch } from '@fjord/replication';
import type { UnrepresentablePolicy } from '../config.ts';
import type { CopyColumn } from '../copy/copy-column.ts';
import { type Decoder, makeDecoder } from '../copy/decoder.ts';
import { Rejections } from '@fjord/replication';
import { type MessageBuffer, NULL_OFFSET } from './message-buffer.ts';
import { type TextForm, textForm } from './text-form.ts';
import type { Transaction } from './transaction.ts';

/** Kinds of a field, and of a tuple (manual, 53.9 Logical Replication Message Formats, TupleData). */
const UNCHANGED = 0x75;
const TEXT = 0x74;
const BINARY = 0x62;
const KEY_TUPLE = 0x4b;
const OLD_TUPLE = 0x4f;

const CREATED = 0x63;
const UPDATED = 0x75;
const DELETED = 0x64;

const FIRST_ROWS = 64;
const MAX_RUN_ROWS = 4096;
/** Offsets of one run of rows: few enough to stay in the processor's cache together with the bytes. */
const MAX_OFFSETS = 64 * 1024;
/** Larger batches gain nothing in encoding or framing. */
const MAX_BATCH_ROWS = 65_536;

/** A stream's column and which field of the relation's tuples it is; undefined if the log does not carry it. */
export type ChangeColumn = CopyColumn & { field: number | undefined };

export type StreamChangesOptions = {
  stream: string;
  columns: readonly ChangeColumn[];
  /** Per field of the relation, whether it is sent of a row of which only the key is. */
  isKeyField: readonly boolean[];
  unrepresentable: UnrepresentablePolicy;
};

/** The columns behind those of the stream (docs/protocol.md, Changes). */
const CHANGE_COLUMNS: readonly Column[] = [
  { name: '_op', type: 'string', nullable: false },
  { name: '_position', type: 'fixed(16)', nullable: false },
  { name: '_unset', type: 'binary', nullable: true },
  { name: '_committed_at', type: 'timestamptz', nullable: true },
];

/**
 * Gathers the changes of one relation, as it is described for now, in Arrow columns. As in COPY the fields of a run of rows are noted
 * first and then decoded column by column: `decodeRun` must be called before the bytes move.
 */
export class StreamChanges {
  readonly stream: string;
  readonly #builder: BatchBuilder;
  readonly #ops: BytesColumn;
  readonly #positions: FixedColumn;
  readonly #unsets: BytesColumn;
  readonly #times: FixedColumn;
  /** Rows that all columns have room for. */
  #room = FIRST_ROWS;
  readonly #columns: readonly ChangeColumn[];
  readonly #decoders: Decoder[];
  readonly #rejections: Rejections[];
  /** By field of the relation: the stream's column, or -1. */
  readonly #columnOf: Int32Array;
  readonly #keys: number[];
  /** Bits of the columns that the log never carries, and of those that it does not carry of a row of which it only has the key. */
  readonly #absent: Uint8Array;
  readonly #notKey: Uint8Array;
  readonly #unset: [old: Uint8Array, new: Uint8Array];
  /** By column: the kind of its fields, 0 until the first one has come. */
  readonly #kinds: Uint8Array;
  readonly #textForms: (TextForm | undefined)[];
  #offsets: Int32Array;
  #runRows = 0;
  #bytes: MessageBuffer | undefined;

  constructor({ stream, columns, isKeyField, unrepresentable }: StreamChangesOptions) {
    this.stream = stream;
    this.#columns = columns;
    // What is not part of the key is null in a row of which only the key is known.
    const fields = columns.map(({ name, type, nullable, isKey }) => ({ name, type, nullable: nullable || !isKey }));
    this.#builder = new BatchBuilder([...fields, ...CHANGE_COLUMNS], { capacityRows: FIRST_ROWS });
    const added = this.#builder.columns.slice(columns.length) as AddedColumns;
    [this.#ops, this.#positions, this.#unsets, this.#times] = added;
    const court = { policy: unrepresentable, stream };
    const made = columns.map((column) => makeDecoder({ ...column, rejections: Rejections.of(column, court) }));
    this.#decoders = made.map(({ decode }) => decode);
    this.#rejections = made.flatMap(({ rejections }) => rejections);
    this.#columnOf = new Int32Array(isKeyField.length).fill(-1);
    for (const [index, { field }] of columns.entries()) if (field !== undefined) this.#columnOf[field] = index;
    this.#keys = columns.flatMap(({ isKey }, index) => (isKey ? [index] : []));
    this.#absent = bitsOf(columns, ({ field }) => field === undefined);
    this.#notKey = bitsOf(columns, ({ field }) => field === undefined || !isKeyField[field]);
    this.#unset = [this.#absent.slice(), this.#absent.slice()];
    this.#kinds = new Uint8Array(columns.length);
    this.#textForms = columns.map(({ wire }) => textForm(wire));
    this.#offsets = new Int32Array(columns.length * FIRST_ROWS).fill(NULL_OFFSET);
  }

  /** Rows that no batch holds yet. */
  get rows(): number {
    return this.#builder.rows + this.#runRows;
  }

  get isFull(): boolean {
    return this.rows >= MAX_BATCH_ROWS;
  }

  /** Notes an Insert, whose tuple's kind stands at `at`. */
  insert(buffer: MessageBuffer, at: number, transaction: Transaction): void {
    this.#makeRoom(buffer);
    this.#readTuple(at + 1, 1);
    this.#addRow(CREATED, transaction, this.#unset[1]);
  }

  /** Notes an Update. Where its key is another one than before, the old row goes and a new one comes. */
  update(buffer: MessageBuffer, at: number, transaction: Transaction): void {
    this.#makeRoom(buffer);
    const kind = buffer.bytes[at];
    if (kind !== KEY_TUPLE && kind !== OLD_TUPLE) {
      this.#readTuple(at + 1, 1);
      this.#addRow(UPDATED, transaction, this.#unset[1]);
      return;
    }
    const next = this.#readTuple(at + 1, 0);
    this.#runRows += 1;
    this.#readTuple(next + 1, 1);
    this.#runRows -= 1;
    if (kind === OLD_TUPLE) this.#fillFromOld();
    if (this.#hasSameKey()) {
      const width = this.#columns.length;
      const old = this.#runRows * width;
      this.#offsets.copyWithin(old, old + width, old + 2 * width);
      this.#addRow(UPDATED, transaction, this.#unset[1]);
      return;
    }
    this.#addRow(DELETED, transaction, kind === OLD_TUPLE ? this.#unset[0] : this.#notKey);
    this.#addRow(CREATED, transaction, this.#unset[1]);
  }

  /** Notes a Delete. */
  delete(buffer: MessageBuffer, at: number, transaction: Transaction): void {
    this.#makeRoom(buffer);
    this.#readTuple(at + 1, 0);
    this.#addRow(DELETED, transaction, buffer.bytes[at] === OLD_TUPLE ? this.#unset[0] : this.#notKey);
  }

  /** Decodes the noted rows; then their bytes may go. */
  decodeRun(): void {
    const rows = this.#runRows;
    const buffer = this.#bytes;
    if (rows === 0 || !buffer) return;
    this.#runRows = 0;
    const base = this.#builder.rows;
    const fields = { bytes: buffer.bytes, view: buffer.view, offsets: this.#offsets, stride: this.#columns.length };
    for (const [field, decode] of this.#decoders.entries()) {
      const column = this.#builder.columns[field]!;
      const form = this.#kinds[field] === TEXT ? this.#textForms[field] : undefined;
      const run = { fields, field, rows, base };
      decode(form ? form(run) : run, column);
      column.length = base + rows;
    }
    this.#builder.rows = base + rows;
  }

  /** All rows as a batch; undefined if there are none. */
  finish(): EncodedBatch | undefined {
    this.decodeRun();
    if (this.#builder.rows === 0) return undefined;
    const rejected: Record<string, number> = {};
    for (const rejections of this.#rejections) {
      if (rejections.count > 0) rejected[rejections.path] = rejections.count;
      rejections.count = 0;
    }
    return { ...this.#builder.finish(), rejected };
  }

  /** Room for two more rows. */
  #makeRoom(buffer: MessageBuffer): void {
    const width = this.#columns.length;
    if (this.#bytes !== buffer || this.#runRows + 2 > MAX_RUN_ROWS || (this.#runRows + 2) * width > MAX_OFFSETS) {
      this.decodeRun();
      this.#bytes = buffer;
    }
    const needed = (this.#runRows + 2) * width;
    if (needed > this.#offsets.length) {
      const grown = new Int32Array(2 * needed).fill(NULL_OFFSET);
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    if (this.rows + 2 <= this.#room) return;
    this.#room *= 2;
    this.#builder.reserve(this.#room);
  }

  /** Notes the fields of a tuple as the next row; `side` 0 if it is an old one. Returns where it ends. */
  #readTuple(from: number, side: 0 | 1): number {
    const { bytes, view } = this.#bytes!;
    const columnOf = this.#columnOf;
    const kinds = this.#kinds;
    const absent = this.#absent;
    const offsets = this.#offsets;
    const base = this.#runRows * this.#columns.length;
    const unset = this.#unset[side];
    for (let byte = 0; byte < absent.length; byte++) unset[byte] = absent[byte]!;
    const count = view.getInt16(from);
    if (count < columnOf.length) offsets.fill(NULL_OFFSET, base, base + this.#columns.length);
    let at = from + 2;
    for (let field = 0; field < count; field++) {
      const column = columnOf[field]!;
      const kind = bytes[at++]!;
      if (kind === BINARY || kind === TEXT) {
        if (column >= 0) {
          offsets[base + column] = at + 4;
          if (kinds[column] !== kind) this.#learnKind(column, kind);
        }
        at += 4 + view.getInt32(at);
      } else if (column >= 0) {
        // Where the log has no field of a column, its offsets are never anything else.
        offsets[base + column] = NULL_OFFSET;
        if (kind === UNCHANGED) unset[column >> 3]! |= 1 << (column & 7);
      }
    }
    return at;
  }

  #learnKind(column: number, kind: number): void {
    if (this.#kinds[column] !== 0) throw new Error('the log changed the format of a column without a word');
    this.#kinds[column] = kind;
  }

  /** What an update did not touch is in its old row, where the log has all of that. */
  #fillFromOld(): void {
    const width = this.#columns.length;
    const old = this.#runRows * width;
    const unset = this.#unset[1];
    for (let column = 0; column < width; column++) {
      if (this.#columns[column]!.field === undefined || (unset[column >> 3]! & (1 << (column & 7))) === 0) continue;
      unset[column >> 3]! &= ~(1 << (column & 7));
      this.#offsets[old + width + column] = this.#offsets[old + column]!;
    }
  }

  /** Whether the old row and the new one behind it have the same key; rows without a key never do. */
  #hasSameKey(): boolean {
    const { bytes, view } = this.#bytes!;
    const width = this.#columns.length;
    const old = this.#runRows * width;
    return (
      this.#keys.length > 0 &&
      this.#keys.every((column) => {
        if ((this.#unset[1][column >> 3]! & (1 << (column & 7))) !== 0) return true;
        const a = this.#offsets[old + column]!;
        const b = this.#offsets[old + width + column]!;
        const length = view.getInt32(a - 4);
        if (length !== view.getInt32(b - 4)) return false;
        return length < 0 || bytes.compare(bytes, a, a + length, b, b + length) === 0;
      })
    );
  }

  /** Writes what is known of a row besides its fields. */
  #addRow(op: number, transaction: Transaction, unset: Uint8Array): void {
    const row = this.rows;
    const ops = this.#ops;
    const positions = this.#positions;
    const times = this.#times;
    this.#runRows += 1;
    ops.reserveData(row + 1);
    ops.data[row] = op;
    ops.offsets[row + 1] = row + 1;
    ops.setValid(row);
    const { keyWords, committedAt } = transaction;
    const ordinal = transaction.next();
    positions.words[4 * row] = keyWords[0];
    positions.words[4 * row + 1] = keyWords[1];
    positions.words[4 * row + 2] = keyWords[2] | (swap16(Math.floor(ordinal / 2 ** 32)) << 16);
    positions.words[4 * row + 3] = swap32(ordinal);
    positions.setValid(row);
    times.words[2 * row] = committedAt[0];
    times.words[2 * row + 1] = committedAt[1];
    times.setValid(row);
    writeUnset(this.#unsets, row, unset);
  }
}

type AddedColumns = [ops: BytesColumn, positions: FixedColumn, unsets: BytesColumn, times: FixedColumn];

function writeUnset(column: BytesColumn, row: number, unset: Uint8Array): void {
  const end = column.offsets[row]!;
  if (isNone(unset)) {
    column.nullCount++;
    column.offsets[row + 1] = end;
    return;
  }
  column.reserveData(end + unset.length);
  column.data.set(unset, end);
  column.offsets[row + 1] = end + unset.length;
  column.setValid(row);
}

function isNone(bits: Uint8Array): boolean {
  for (let byte = 0; byte < bits.length; byte++) if (bits[byte] !== 0) return false;
  return true;
}

function bitsOf(columns: readonly ChangeColumn[], isSet: (column: ChangeColumn) => boolean): Uint8Array {
  const bits = new Uint8Array((columns.length + 7) >> 3);
  for (const [index, column] of columns.entries()) if (isSet(column)) bits[index >> 3]! |= 1 << (index & 7);
  return bits;
}

const swap16 = (value: number) => ((value & 0xff) << 8) | ((value >> 8) & 0xff);
const swap32 = (value: number) =>
  ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | ((value >>> 24) & 0xff);
