import { type CopyableFile, integerOf, itemsOf, structOf } from './copyable-file.ts';
import { CHUNK, FILE, MAX_ORDINAL, METADATA, ROW_GROUP } from './footer-fields.ts';
import { type ParquetFooter, readFooter } from './footer-reader.ts';
import { MAGIC } from './format.ts';
import { i64, readTypedStruct, structList, type TypedStruct, writeTypedStruct } from './thrift/typed-struct.ts';

/** Reads `length` bytes of a file from `offset`. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/** What a copier needs. */
export type RowGroupCopierOptions = {
  /** Takes the new file's bytes in order. */
  write(bytes: Uint8Array): Promise<void>;
};

/** So many bytes are held at once. */
const PIECE_BYTES = 4 * 1024 * 1024;
const OFFSET_INDEX = { LOCATIONS: 1 };
const LOCATION = { OFFSET: 1 };

type Index = { chunk: TypedStruct; place: number; size: number; bytes: Uint8Array };

/**
 * Makes one Parquet file of the row groups of others, without decoding them: pages, statistics, bloom filters and page indexes are copied, and
 * only places in the file are said anew. The files are of one kind (see `CopyableFile`); the first one's key-value metadata becomes the new file's.
 */
export class RowGroupCopier {
  readonly #write: RowGroupCopierOptions['write'];
  readonly #groups: TypedStruct[] = [];
  readonly #indexes: Index[] = [];
  #first: CopyableFile | undefined;
  #rows = 0;
  #length = 0;

  constructor({ write }: RowGroupCopierOptions) {
    this.#write = write;
  }

  /** Bytes of the new file so far. */
  get length(): number {
    return this.#length;
  }

  /** Copies all row groups of a file. Throws for one of another kind than the first. */
  async add(file: CopyableFile, read: ReadRange): Promise<void> {
    this.#first ??= file;
    if (file.kind !== this.#first.kind) throw new Error('row groups of different kinds of files are copied into one');
    if (this.#length === 0) await this.#append(MAGIC);
    for (const group of file.groups) {
      const shift = this.#length - group.start;
      for (let at = group.start; at < group.end; at += PIECE_BYTES) {
        await this.#append(await exactly(read, at, Math.min(PIECE_BYTES, group.end - at)));
      }
      const chunks = itemsOf(group.struct, ROW_GROUP.COLUMNS);
      const moved: TypedStruct[] = [];
      for (const chunk of chunks) moved.push(await this.#moveChunk(chunk, shift, read));
      this.#groups.push(this.#moveGroup(group.struct, moved, shift));
      this.#rows += group.rows;
    }
  }

  /** Writes page indexes and footer; gives the footer as a reader finds it. */
  async close(): Promise<ParquetFooter> {
    if (!this.#first) throw new Error('a Parquet file is made of no row groups');
    for (const { chunk, place, size, bytes } of this.#indexes) {
      chunk.set(place, i64(BigInt(this.#length)));
      const sized = chunk.get(size);
      if (sized) chunk.set(size, { type: sized.type, integer: BigInt(bytes.length) });
      await this.#append(bytes);
    }
    const struct = new Map(this.#first.struct);
    struct.set(FILE.ROWS, i64(BigInt(this.#rows)));
    struct.set(FILE.ROW_GROUPS, structList(this.#groups));
    const metadata = writeTypedStruct(struct);
    const footer = new Uint8Array(metadata.length + 4 + MAGIC.length);
    footer.set(metadata);
    new DataView(footer.buffer).setUint32(metadata.length, metadata.length, true);
    footer.set(MAGIC, metadata.length + 4);
    await this.#append(footer);
    const read = readFooter(footer, this.#length);
    if (!read) throw new Error('a footer just written is not whole');
    return read;
  }

  #moveGroup(group: TypedStruct, chunks: readonly TypedStruct[], shift: number): TypedStruct {
    const moved = moveBy(group, [ROW_GROUP.OFFSET], shift);
    moved.set(ROW_GROUP.COLUMNS, structList(chunks));
    const ordinal = moved.get(ROW_GROUP.ORDINAL);
    moved.delete(ROW_GROUP.ORDINAL);
    const number = this.#groups.length;
    if (ordinal && number <= MAX_ORDINAL) moved.set(ROW_GROUP.ORDINAL, { type: ordinal.type, integer: BigInt(number) });
    return moved;
  }

  async #moveChunk(chunk: TypedStruct, shift: number, read: ReadRange): Promise<TypedStruct> {
    const metadata = structOf(chunk, CHUNK.METADATA);
    const places = [METADATA.DATA_PAGE, METADATA.INDEX_PAGE, METADATA.DICTIONARY_PAGE];
    const movedMetadata = moveBy(metadata, places, shift);
    const moved = new Map(chunk);
    moved.set(CHUNK.METADATA, { ...chunk.get(CHUNK.METADATA)!, fields: movedMetadata });
    // Deprecated, and wrong in many files: 0 says nothing.
    moved.set(CHUNK.FILE_OFFSET, i64(0n));
    await this.#keep(movedMetadata, [METADATA.BLOOM_FILTER, METADATA.BLOOM_FILTER_BYTES], read);
    await this.#keep(moved, [CHUNK.COLUMN_INDEX, CHUNK.COLUMN_INDEX_BYTES], read);
    await this.#keep(moved, [CHUNK.OFFSET_INDEX, CHUNK.OFFSET_INDEX_BYTES], read, (bytes) => moveIndex(bytes, shift));
    return moved;
  }

  /** Takes what lies elsewhere in the file and is named by its place and size; without its size it is left out. */
  async #keep(
    chunk: TypedStruct,
    [place, size]: [number, number],
    read: ReadRange,
    change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
  ): Promise<void> {
    const [offset, length] = [integerOf(chunk, place), integerOf(chunk, size)];
    chunk.delete(place);
    if (offset === undefined || length === undefined) return void chunk.delete(size);
    this.#indexes.push({ chunk, place, size, bytes: change(await exactly(read, offset, length)) });
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#length += bytes.length;
    await this.#write(bytes);
  }
}

function moveBy(struct: TypedStruct, places: readonly number[], shift: number): TypedStruct {
  const moved = new Map(struct);
  for (const id of places) {
    const place = integerOf(struct, id);
    if (place !== undefined && place > 0) moved.set(id, i64(BigInt(place + shift)));
  }
  return moved;
}

/** Pages are named by their place in the file (PageIndex.md). */
function moveIndex(bytes: Uint8Array, shift: number): Uint8Array {
  const index = readTypedStruct(bytes);
  const locations = itemsOf(index, OFFSET_INDEX.LOCATIONS);
  index.set(
    OFFSET_INDEX.LOCATIONS,
    structList(locations.map((location) => moveBy(location, [LOCATION.OFFSET], shift))),
  );
  return writeTypedStruct(index);
}

async function exactly(read: ReadRange, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await read(offset, length);
  if (bytes.length === length) return bytes;
  throw new Error(`a Parquet file ends before byte ${offset + length}`);
}
