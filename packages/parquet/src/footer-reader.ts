import { ParquetError } from './errors.ts';
import { CHUNK, FILE, METADATA, ROW_GROUP, STATISTICS, TRAILER_BYTES } from './footer-fields.ts';
import { readThriftStruct, type ThriftStruct, type ThriftValue } from './thrift/compact-reader.ts';

/** What a Parquet footer says of a file (parquet.thrift: FileMetaData). */
export type ParquetFooter = {
  rowCount: bigint;
  /** The columns that hold values, in file order. */
  leaves: ParquetLeaf[];
  rowGroups: { startOffset: bigint; columns: ColumnChunk[] }[];
};

/** A column that holds values: its field id (none: not ours), its physical type, and whether it lies inside a list or map. */
export type ParquetLeaf = { fieldId: number | undefined; physicalType: number; isRepeated: boolean };

/** One leaf's part of a row group. `min` and `max` are PLAIN-encoded; they bound the values but may be shortened. */
export type ColumnChunk = {
  valueCount: bigint;
  nullCount: bigint | undefined;
  compressedBytes: bigint;
  min: Uint8Array | undefined;
  max: Uint8Array | undefined;
};

const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
const REPEATED = 2n;
/** FIXED_LEN_BYTE_ARRAY, the last of parquet.thrift's types. */
const LAST_TYPE = 7;

const ELEMENT = { TYPE: 1, REPETITION: 3, CHILD_COUNT: 5, FIELD_ID: 9 };

/**
 * Reads the footer from the last bytes of a Parquet file of `fileBytes` bytes, if that is known; undefined if `tail` does not reach back far enough.
 * Throws `invalid_file` if it is no Parquet file, or one that is damaged, encrypted or, as far as its length tells, not whole.
 */
export function readFooter(tail: Uint8Array, fileBytes = Infinity): ParquetFooter | undefined {
  const end = tail.length - TRAILER_BYTES;
  if (end < 0) return askForMore(tail, fileBytes);
  const trailer = Buffer.from(tail.buffer, tail.byteOffset + end, TRAILER_BYTES);
  const magic = trailer.toString('latin1', 4);
  if (magic === ENCRYPTED_MAGIC) throw invalidFile('its footer is encrypted');
  if (magic !== MAGIC) throw invalidFile('it does not end with PAR1');
  const footerBytes = trailer.readUInt32LE(0);
  if (footerBytes > end) return askForMore(tail, fileBytes);
  try {
    return parseFooter(tail.subarray(end - footerBytes, end), fileBytes - TRAILER_BYTES - footerBytes);
  } catch (cause) {
    if (cause instanceof ParquetError) throw cause;
    throw invalidFile('its footer is damaged', cause);
  }
}

function askForMore(tail: Uint8Array, fileBytes: number): undefined {
  if (tail.length >= fileBytes) throw invalidFile('it is too short for its footer');
}

function parseFooter(bytes: Uint8Array, dataBytes: number): ParquetFooter {
  const file = readThriftStruct(bytes);
  const leaves = readLeaves(list(file, FILE.SCHEMA).map(asStruct));
  const rowGroups = list(file, FILE.ROW_GROUPS).map((group) => readRowGroup(asStruct(group), dataBytes));
  if (rowGroups.some(({ columns }) => columns.length !== leaves.length))
    throw invalidFile('a row group has not as many columns as its schema');
  return { rowCount: integer(file, FILE.ROWS), leaves, rowGroups };
}

function invalidFile(what: string, cause?: unknown): ParquetError {
  return new ParquetError('invalid_file', `This is no Parquet file that can be read: ${what}.`, { cause });
}

/** The schema is a tree in depth-first order: each group says how many children follow. */
function readLeaves(elements: ThriftStruct[]): ParquetLeaf[] {
  const leaves: ParquetLeaf[] = [];
  let next = 0;
  const visit = (isInsideRepeated: boolean): void => {
    const element = elements[next++];
    if (!element) throw new Error('the schema of a Parquet footer ends early');
    const isRepeated = isInsideRepeated || element.get(ELEMENT.REPETITION) === REPEATED;
    const childCount = Number(optionalInteger(element, ELEMENT.CHILD_COUNT) ?? 0n);
    for (let child = 0; child < childCount; child++) visit(isRepeated);
    if (childCount > 0 || next === 1) return;
    const fieldId = optionalInteger(element, ELEMENT.FIELD_ID);
    const physicalType = Number(integer(element, ELEMENT.TYPE));
    if (physicalType < 0 || physicalType > LAST_TYPE)
      throw invalidFile(`it has a column of the unknown type ${physicalType}`);
    leaves.push({
      fieldId: fieldId === undefined ? undefined : Number(fieldId),
      physicalType,
      isRepeated,
    });
  };
  visit(false);
  return leaves;
}

function readRowGroup(group: ThriftStruct, dataBytes: number): ParquetFooter['rowGroups'][number] {
  const metadata = list(group, ROW_GROUP.COLUMNS).map((chunk) => asStruct(required(asStruct(chunk), CHUNK.METADATA)));
  const starts = metadata.map(startOffset);
  for (const [index, chunk] of metadata.entries()) {
    const start = starts[index] ?? 0n;
    const end = start + integer(chunk, METADATA.COMPRESSED);
    // Where there are no values, some makers give no place either. What begins a file is its magic number.
    if (integer(chunk, METADATA.VALUES) > 0n && (start < MAGIC.length || end > dataBytes))
      throw invalidFile('a column lies outside of it');
  }
  return {
    startOffset: starts.reduce((least, start) => (start < least ? start : least), starts[0] ?? 0n),
    columns: metadata.map(readColumnChunk),
  };
}

function startOffset(metadata: ThriftStruct): bigint {
  const data = integer(metadata, METADATA.DATA_PAGE);
  const dictionary = optionalInteger(metadata, METADATA.DICTIONARY_PAGE);
  return dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data;
}

function readColumnChunk(metadata: ThriftStruct): ColumnChunk {
  const value = metadata.get(METADATA.STATISTICS);
  const statistics: ThriftStruct = value === undefined ? new Map() : asStruct(value);
  return {
    valueCount: integer(metadata, METADATA.VALUES),
    compressedBytes: integer(metadata, METADATA.COMPRESSED),
    nullCount: optionalInteger(statistics, STATISTICS.NULLS),
    min: optionalBytes(statistics, STATISTICS.MIN),
    max: optionalBytes(statistics, STATISTICS.MAX),
  };
}

function required(struct: ThriftStruct, id: number): ThriftValue {
  const value = struct.get(id);
  if (value === undefined) throw new Error(`a Parquet footer lacks field ${id}`);
  return value;
}

function asStruct(value: ThriftValue): ThriftStruct {
  if (value instanceof Map) return value;
  throw new Error('a Parquet footer holds no struct where one is expected');
}

function list(struct: ThriftStruct, id: number): readonly ThriftValue[] {
  const value = required(struct, id);
  if (Array.isArray(value)) return value;
  throw new Error(`field ${id} of a Parquet footer is not a list`);
}

function integer(struct: ThriftStruct, id: number): bigint {
  const value = required(struct, id);
  if (typeof value === 'bigint') return value;
  throw new Error(`field ${id} of a Parquet footer is not an integer`);
}

function optionalInteger(struct: ThriftStruct, id: number): bigint | undefined {
  return struct.has(id) ? integer(struct, id) : undefined;
}

function optionalBytes(struct: ThriftStruct, id: number): Uint8Array | undefined {
  const value = struct.get(id);
  return value instanceof Uint8Array ? value : undefined;
}
