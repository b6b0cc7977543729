import { ParquetError } from '../errors.ts';
import type { ArrowColumn } from './arrow-column.ts';
import type { ArrowField } from './arrow-type.ts';
import { decodeDictionaries } from './dictionary-column.ts';
import { FlatTable } from './flatbuffer.ts';
import { readColumns } from './record-batch.ts';
import { readSchema } from './schema-message.ts';

const CONTINUATION = 0xff_ff_ff_ff;
const MESSAGE = { HEADER_KIND: 1, HEADER: 2, BODY_LENGTH: 3 };
const HEADER = { SCHEMA: 1, DICTIONARY_BATCH: 2, RECORD_BATCH: 3 };
const RECORD_BATCH = { LENGTH: 0 };
const DICTIONARY_BATCH = { ID: 0, DATA: 1, IS_DELTA: 2 };

/** Rows of an Arrow stream: views of the stream's own memory, one column for each field of its schema. */
export type ArrowBatch = { readonly rows: number; readonly bytes: number; readonly columns: readonly ArrowColumn[] };

/**
 * Reads Arrow IPC streams (Arrow columnar format, IPC Streaming Format), each given in pieces cut anywhere. A schema message equal to the last one
 * is not read again, so that many small streams of one schema cost little. Throws `invalid_arrow` on bytes that are no such stream.
 */
export class IpcStreamReader {
  #schemaBytes: Uint8Array | undefined;
  #fields: readonly ArrowField[] = [];

  /** The fields of the schema message that was read last. */
  get fields(): readonly ArrowField[] {
    return this.#fields;
  }

  *read(pieces: readonly Uint8Array[]): Generator<ArrowBatch> {
    const input = new Pieces(pieces);
    const dictionaries = new Map<number, ArrowColumn>();
    let hasSchema = false;
    for (let message = nextMessage(input); message; message = nextMessage(input)) {
      const { kind, header, body, metadata } = message;
      if (kind === HEADER.SCHEMA) {
        this.#takeSchema(metadata, header);
        hasSchema = true;
      } else if (!hasSchema) throw new ParquetError('invalid_arrow', 'An Arrow stream must begin with its schema.');
      else if (kind === HEADER.DICTIONARY_BATCH) guarded(() => this.#takeDictionary(dictionaries, header, body));
      else if (kind === HEADER.RECORD_BATCH) yield guarded(() => this.#readBatch(dictionaries, header, body));
      else throw new ParquetError('invalid_arrow', `An Arrow stream has a message of kind ${kind}.`);
    }
    if (!hasSchema) throw new ParquetError('invalid_arrow', 'The Arrow stream is empty: it lacks even a schema.');
  }

  #takeSchema(metadata: Uint8Array, header: FlatTable): void {
    if (this.#schemaBytes && Buffer.compare(this.#schemaBytes, metadata) === 0) return;
    this.#fields = guarded(() => readSchema(header));
    this.#schemaBytes = new Uint8Array(metadata);
  }

  #takeDictionary(dictionaries: Map<number, ArrowColumn>, header: FlatTable, body: Uint8Array): void {
    const id = header.long(DICTIONARY_BATCH.ID);
    const data = header.table(DICTIONARY_BATCH.DATA);
    const field = findDictionaryField(this.#fields, id);
    if (!data || !field)
      throw new ParquetError('invalid_arrow', `An Arrow stream has a dictionary ${id} without a field.`);
    if (header.byte(DICTIONARY_BATCH.IS_DELTA) !== 0) {
      throw new ParquetError('unsupported', `Column "${field.name}" has a dictionary that comes in parts.`);
    }
    const [column] = readColumns([{ ...field, dictionary: undefined }], data, body);
    if (column) dictionaries.set(id, column);
  }

  #readBatch(dictionaries: ReadonlyMap<number, ArrowColumn>, header: FlatTable, body: Uint8Array): ArrowBatch {
    const rows = header.long(RECORD_BATCH.LENGTH);
    const columns = readColumns(this.#fields, header, body);
    for (const [index, column] of columns.entries()) {
      if (column.length === rows) continue;
      throw new ParquetError(
        'invalid_arrow',
        `Column "${this.#fields[index]?.name}" has not as many rows as its batch.`,
      );
    }
    return { rows, bytes: body.length, columns: columns.map((column) => decodeDictionaries(column, dictionaries)) };
  }
}

type IpcMessage = { kind: number; header: FlatTable; body: Uint8Array; metadata: Uint8Array };

/** The next message; undefined at the end of the stream, with or without its mark. */
function nextMessage(input: Pieces): IpcMessage | undefined {
  if (input.isAtEnd) return undefined;
  const first = input.takeUint32();
  // Before Arrow 0.15 the length came without the marker.
  const length = first === CONTINUATION ? input.takeUint32() : first;
  if (length === 0) {
    input.requireZeros();
    return undefined;
  }
  const metadata = input.take(length);
  return guarded(() => {
    const message = FlatTable.root(metadata);
    const header = message.table(MESSAGE.HEADER);
    if (!header) throw new ParquetError('invalid_arrow', 'An Arrow message has no header.');
    const body = input.take(message.long(MESSAGE.BODY_LENGTH));
    return { kind: message.byte(MESSAGE.HEADER_KIND), header, body, metadata };
  });
}

/** Offsets of a damaged message point outside of it. */
function guarded<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ParquetError('invalid_arrow', `An Arrow message is damaged: ${cause.message}.`, { cause });
  }
}

function findDictionaryField(fields: readonly ArrowField[], id: number): ArrowField | undefined {
  for (const field of fields) {
    const found = field.dictionary?.id === id ? field : findDictionaryField(field.children, id);
    if (found) return found;
  }
  return undefined;
}

/** Bytes in pieces, read from front to back; what lies within one piece is not copied. */
class Pieces {
  readonly #pieces: readonly Uint8Array[];
  #piece = 0;
  #offset = 0;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces.filter(({ length }) => length > 0);
  }

  get isAtEnd(): boolean {
    return this.#piece >= this.#pieces.length;
  }

  takeUint32(): number {
    const bytes = this.take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  take(length: number): Uint8Array {
    const piece = this.#pieces[this.#piece];
    if (piece && this.#offset + length <= piece.length) return this.#takeWithin(piece, length);
    const rest = this.#pieces.slice(this.#piece).reduce((sum, { length: bytes }) => sum + bytes, -this.#offset);
    if (length > rest) throw new ParquetError('invalid_arrow', 'The Arrow stream ends in the middle of a message.');
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const current = this.#pieces[this.#piece] ?? new Uint8Array();
      const part = this.#takeWithin(current, Math.min(length - filled, current.length - this.#offset));
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** Behind the mark of its end a stream may be filled up; anything else there is rows behind a damaged length. */
  requireZeros(): void {
    while (!this.isAtEnd) {
      const piece = this.#pieces[this.#piece] ?? new Uint8Array();
      const rest = this.#takeWithin(piece, piece.length - this.#offset);
      if (rest.some((byte) => byte !== 0))
        throw new ParquetError('invalid_arrow', 'The Arrow stream goes on behind its end.');
    }
  }

  #takeWithin(piece: Uint8Array, length: number): Uint8Array {
    const bytes = piece.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    if (this.#offset === piece.length) {
      this.#piece += 1;
      this.#offset = 0;
    }
    return bytes;
  }
}
