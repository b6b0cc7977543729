import { ParquetError } from './errors.ts';
import { CHUNK, FILE, METADATA, ROW_GROUP, TRAILER_BYTES } from './footer-fields.ts';
import { MAGIC } from './format.ts';
import { readFooter } from './footer-reader.ts';
import { readTypedStruct, type TypedStruct, type TypedValue, writeTypedStruct } from './thrift/typed-struct.ts';

/** A row group as a copy needs it: its rows, and where its pages lie. */
export type CopyableGroup = { rows: number; start: number; end: number; struct: TypedStruct };

/** A Parquet file whose row groups can be copied into another file. */
export type CopyableFile = {
  rowCount: number;
  groups: CopyableGroup[];
  /** Text that is the same for files whose row groups may share a file: one schema, one writer, one order of bounds. */
  kind: string;
  /** Whether each column that holds values has a field id. */
  hasFieldIds: boolean;
  struct: TypedStruct;
};

/**
 * Reads the last bytes of a file of `fileBytes` bytes for copying: undefined if `tail` does not reach back far enough. Throws `invalid_file` as
 * `readFooter` does, and for a file whose row groups cannot be moved: encrypted ones, and such whose pages lie apart.
 */
export function readCopyableFile(tail: Uint8Array, fileBytes: number): CopyableFile | undefined {
  // Checks all that a reader relies on.
  const footer = readFooter(tail, fileBytes);
  if (!footer) return undefined;
  const end = tail.length - TRAILER_BYTES;
  const length = new DataView(tail.buffer, tail.byteOffset + end, 4).getUint32(0, true);
  const struct = readTypedStruct(tail.subarray(end - length, end));
  const groups = itemsOf(struct, FILE.ROW_GROUPS).map(readGroup);
  const shared = [FILE.VERSION, FILE.SCHEMA, FILE.CREATED_BY, FILE.COLUMN_ORDERS].flatMap((id) => {
    const value = struct.get(id);
    return value ? [[id, value] as const] : [];
  });
  const kind = Buffer.from(writeTypedStruct(new Map(shared))).toString('base64');
  const hasFieldIds = footer.leaves.every(({ fieldId }) => fieldId !== undefined);
  return { hasFieldIds, rowCount: groups.reduce((sum, { rows }) => sum + rows, 0), groups, kind, struct };
}

function readGroup(struct: TypedStruct): CopyableGroup {
  let [start, end, bytes] = [Infinity, 0, 0];
  for (const chunk of itemsOf(struct, ROW_GROUP.COLUMNS)) {
    if ([CHUNK.PATH, CHUNK.CRYPTO, CHUNK.ENCRYPTED].some((id) => chunk.has(id)))
      throw notCopyable('a column lies in another file, or is encrypted');
    const metadata = structOf(chunk, CHUNK.METADATA);
    const places = [METADATA.DATA_PAGE, METADATA.INDEX_PAGE, METADATA.DICTIONARY_PAGE].flatMap((id) => {
      const place = integerOf(metadata, id);
      return place === undefined || place < MAGIC.length ? [] : [place];
    });
    const first = Math.min(...places);
    const length = integerOf(metadata, METADATA.COMPRESSED) ?? 0;
    [start, end, bytes] = [Math.min(start, first), Math.max(end, first + length), bytes + length];
  }
  if (end - start !== bytes) throw notCopyable('the columns of a row group do not follow each other');
  return { rows: integerOf(struct, ROW_GROUP.ROWS) ?? 0, start, end, struct };
}

/** The structs of a list. */
export function itemsOf(struct: TypedStruct, id: number): TypedStruct[] {
  const value = struct.get(id);
  const items = value && 'items' in value ? value.items : [];
  return items.map((item) => fieldsOf(item));
}

/** A struct within a struct. */
export function structOf(struct: TypedStruct, id: number): TypedStruct {
  return fieldsOf(struct.get(id));
}

/** An integer that a double holds exactly, as counts and places in files are. */
export function integerOf(struct: TypedStruct, id: number): number | undefined {
  const value = struct.get(id);
  return value && 'integer' in value ? Number(value.integer) : undefined;
}

function fieldsOf(value: TypedValue | undefined): TypedStruct {
  if (value && 'fields' in value) return value.fields;
  throw notCopyable('its footer lacks a part');
}

function notCopyable(what: string): ParquetError {
  return new ParquetError('invalid_file', `The row groups of this Parquet file cannot be copied: ${what}.`);
}
