import { randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { IcebergError } from '../errors.ts';
import { ByteSink, ByteSource } from './bytes.ts';
import { type Decode, type DecoderOptions, createDecoder } from './decoder.ts';
import { createEncoder } from './encoder.ts';
import type { AvroSchema, AvroValue } from './schema.ts';

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 1);
const SYNC_BYTES = 16;

/** Uncompressed size at which a block is closed: the reader of a big manifest holds one block at a time. */
const BLOCK_BYTES = 64 * 1024;

/** Commits wait for it: the default level takes three times as long and saves a tenth. */
const DEFLATE_LEVEL = 2;

/** What an Avro object container holds. */
export interface AvroFile {
  readonly header: ReadonlyMap<string, string>;
  /** Decoded one by one as they are asked for, once: a big file's records need not all be held. Asking may throw `invalid_manifest`. */
  readonly records: Iterable<AvroValue>;
}

/** Writes an Avro object container (Avro spec: Object Container Files), deflated. `header` adds keys to its metadata. */
export function encodeAvroFile(
  schema: AvroSchema,
  header: Readonly<Record<string, string>>,
  records: Iterable<unknown>,
): Uint8Array {
  const encode = createEncoder(schema);
  const sync = randomBytes(SYNC_BYTES);
  const file = new ByteSink();
  writeHeader(file, { ...header, 'avro.schema': JSON.stringify(schema), 'avro.codec': 'deflate' }, sync);
  const block = new ByteSink();
  let count = 0;
  const closeBlock = () => {
    file.writeLong(count);
    file.writeBytes(deflateRawSync(block.take(), { level: DEFLATE_LEVEL }));
    file.writeRaw(sync);
    count = 0;
  };
  for (const record of records) {
    encode(block, record);
    count++;
    if (block.length >= BLOCK_BYTES) closeBlock();
  }
  if (count > 0) closeBlock();
  return file.take();
}

/** Reads an Avro object container with the codec null or deflate. Throws `invalid_manifest`; `location` names the file in errors. */
export function decodeAvroFile(bytes: Uint8Array, location: string, options?: DecoderOptions): AvroFile {
  try {
    const source = new ByteSource(bytes);
    const file = openFile(source, options);
    return { header: file.header, records: guarded(decodeRecords(source, file), location) };
  } catch (cause) {
    throw notReadable(location, cause);
  }
}

function* guarded<T>(items: Iterable<T>, location: string): Generator<T> {
  try {
    yield* items;
  } catch (cause) {
    throw notReadable(location, cause);
  }
}

function notReadable(location: string, cause: unknown): IcebergError {
  if (cause instanceof IcebergError) return cause;
  return new IcebergError('invalid_manifest', `${location} is not a readable Avro file.`, { cause });
}

/** What precedes the blocks of records. */
interface OpenFile {
  readonly header: ReadonlyMap<string, string>;
  readonly sync: Uint8Array;
  readonly inflate: (bytes: Uint8Array) => Uint8Array;
  readonly decodeRecord: Decode;
}

function openFile(source: ByteSource, options: DecoderOptions | undefined): OpenFile {
  if (Buffer.compare(source.readRaw(MAGIC.length), MAGIC) !== 0)
    throw new TypeError('The file does not begin as Avro does.');
  const header = readHeader(source);
  const sync = source.readRaw(SYNC_BYTES);
  const inflate = decompressor(header.get('avro.codec') ?? 'null');
  const decodeRecord = createDecoder(JSON.parse(header.get('avro.schema') ?? '') as AvroSchema, options);
  return { header, sync, inflate, decodeRecord };
}

function* decodeRecords(source: ByteSource, { sync, inflate, decodeRecord }: OpenFile): Generator<AvroValue> {
  while (!source.isAtEnd) {
    const count = source.readInt();
    if (count < 0) throw new TypeError('A block has a negative number of records.');
    const block = new ByteSource(inflate(source.readBytes()));
    for (let index = 0; index < count; index++) yield decodeRecord(block);
    if (Buffer.compare(source.readRaw(SYNC_BYTES), sync) !== 0)
      throw new TypeError('A block ends without the sync marker.');
  }
}

function writeHeader(file: ByteSink, header: Readonly<Record<string, string>>, sync: Uint8Array): void {
  const entries = Object.entries(header);
  file.writeRaw(MAGIC);
  file.writeLong(entries.length);
  for (const [key, value] of entries) {
    file.writeString(key);
    file.writeString(value);
  }
  file.writeLong(0);
  file.writeRaw(sync);
}

function readHeader(source: ByteSource): Map<string, string> {
  const header = new Map<string, string>();
  for (let count = source.readInt(); count !== 0; count = source.readInt()) {
    if (count < 0) source.readLong();
    for (let index = 0; index < Math.abs(count); index++) header.set(source.readString(), source.readString());
  }
  return header;
}

function decompressor(codec: string): (bytes: Uint8Array) => Uint8Array {
  if (codec === 'null') return (bytes) => bytes;
  if (codec === 'deflate') return (bytes) => inflateRawSync(bytes);
  throw new IcebergError('unsupported', `Avro codec "${codec}" cannot be read; null and deflate can.`);
}
