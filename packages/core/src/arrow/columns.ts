import { type ColumnType, parsePrimitive } from '../column-type.ts';
import { ConnectorError } from '../errors.ts';

/** Arrow offsets are 32 bit; a batch ends long before this, so reaching it is one cell that is too large. */
const MAX_DATA_BYTES = 2 ** 31 - 1;
/** First guess of a text's length; the buffer doubles when it is wrong. */
const GUESSED_TEXT_BYTES = 16;

/**
 * Growable Arrow buffers of one column, filled by hand: the writer sets values and validity bits of rows below `capacity` and counts
 * nulls and `length` itself. Buffers are reused after `clear`; what leaves is a copy.
 */
export type ArrowColumn = FixedColumn | BooleanColumn | BytesColumn | ListColumn | MapColumn | StructColumn;

/** Makes the buffers for a column type, with room for `capacity` rows. */
export function createColumn(type: ColumnType, capacity: number): ArrowColumn {
  if (typeof type === 'string') return createPrimitive(type, capacity);
  if (type.type === 'list') return new ListColumn(createColumn(type.element, capacity), capacity);
  if (type.type === 'map') {
    return new MapColumn([createColumn(type.key, capacity), createColumn(type.value, capacity)], capacity);
  }
  const fields = type.fields.map((field) => createColumn(field.type, capacity));
  return new StructColumn(fields, capacity);
}

function createPrimitive(name: string, capacity: number): ArrowColumn {
  const type = parsePrimitive(name);
  switch (type.kind) {
    case 'boolean':
      return new BooleanColumn(capacity);
    case 'string':
    case 'binary':
      return new BytesColumn(capacity);
    case 'int':
    case 'float':
    case 'date':
      return new FixedColumn(4, capacity);
    case 'long':
    case 'double':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return new FixedColumn(8, capacity);
    case 'decimal':
    case 'uuid':
      return new FixedColumn(16, capacity);
    case 'fixed':
      return new FixedColumn(type.length, capacity);
    default:
      return type satisfies never;
  }
}

/** What every column has: a bit per row (1: there is a value), and how many rows and nulls. */
abstract class ValidityColumn {
  validity: Uint8Array;
  nullCount = 0;
  length = 0;
  capacity: number;

  constructor(capacity: number) {
    this.capacity = roundUp(capacity);
    this.validity = new Uint8Array(this.capacity >> 3);
  }

  /** Makes room for rows below `capacity`. */
  reserve(capacity: number): void {
    if (capacity <= this.capacity) return;
    this.capacity = roundUp(Math.max(capacity, this.capacity * 2));
    this.validity = grown(this.validity, this.capacity >> 3);
    this.growValues();
  }

  /** Forgets all rows and keeps the memory. */
  clear(): void {
    this.validity.fill(0);
    this.nullCount = 0;
    this.length = 0;
    this.clearValues();
  }

  isValid(row: number): boolean {
    return ((this.validity[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
  }

  setValid(row: number): void {
    this.validity[row >> 3]! |= 1 << (row & 7);
  }

  protected abstract growValues(): void;
  protected abstract clearValues(): void;
}

/** Values of a fixed width in bytes; `words`, `floats` and `doubles` are views of the same memory. */
export class FixedColumn extends ValidityColumn {
  readonly kind = 'fixed';
  readonly width: number;
  bytes: Uint8Array;
  words: Int32Array;
  floats: Float32Array;
  doubles: Float64Array;

  constructor(width: number, capacity: number) {
    super(capacity);
    this.width = width;
    [this.bytes, this.words, this.floats, this.doubles] = viewsOf(this.capacity * width);
  }

  get byteLength(): number {
    return this.length * this.width;
  }

  protected override growValues(): void {
    const old = this.bytes;
    [this.bytes, this.words, this.floats, this.doubles] = viewsOf(this.capacity * this.width);
    this.bytes.set(old);
  }

  protected override clearValues(): void {
    // Every row is either written or null; what a null row holds is not looked at.
  }
}

/** One bit a value. */
export class BooleanColumn extends ValidityColumn {
  readonly kind = 'boolean';
  bits: Uint8Array;

  constructor(capacity: number) {
    super(capacity);
    this.bits = new Uint8Array(this.capacity >> 3);
  }

  get byteLength(): number {
    return this.length >> 3;
  }

  protected override growValues(): void {
    this.bits = grown(this.bits, this.capacity >> 3);
  }

  protected override clearValues(): void {
    this.bits.fill(0);
  }
}

/** Text or bytes: value `i` is `data` from `offsets[i]` to `offsets[i + 1]`. Offsets of null rows must be written too. */
export class BytesColumn extends ValidityColumn {
  readonly kind = 'bytes';
  offsets: Int32Array;
  data: Uint8Array;

  constructor(capacity: number) {
    super(capacity);
    this.offsets = new Int32Array(this.capacity + 1);
    this.data = new Uint8Array(this.capacity * GUESSED_TEXT_BYTES);
  }

  get byteLength(): number {
    return (this.offsets[this.length] ?? 0) + this.length * 4;
  }

  /** Makes room for `bytes` of data in all. */
  reserveData(bytes: number): void {
    if (bytes <= this.data.length) return;
    if (bytes > MAX_DATA_BYTES) {
      throw new ConnectorError('unsupported', 'A batch holds more than 2 GB of one text or binary column.');
    }
    this.data = grown(this.data, Math.min(MAX_DATA_BYTES, Math.max(bytes, this.data.length * 2)));
  }

  protected override growValues(): void {
    const offsets = new Int32Array(this.capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  protected override clearValues(): void {
    // One huge cell must not keep its memory for the rest of the run.
    if (this.data.length > 64 * 1024 * 1024) this.data = new Uint8Array(this.capacity * GUESSED_TEXT_BYTES);
  }
}

/** Lists: row `i` holds the child's rows from `offsets[i]` to `offsets[i + 1]`. */
export class ListColumn extends ValidityColumn {
  readonly kind = 'list';
  offsets: Int32Array;
  readonly child: ArrowColumn;

  constructor(child: ArrowColumn, capacity: number) {
    super(capacity);
    this.child = child;
    this.offsets = new Int32Array(this.capacity + 1);
  }

  get byteLength(): number {
    return this.length * 4 + this.child.byteLength;
  }

  protected override growValues(): void {
    const offsets = new Int32Array(this.capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  protected override clearValues(): void {
    this.child.clear();
  }
}

/** Structs: each child has a row for every row. */
export class StructColumn extends ValidityColumn {
  readonly kind = 'struct';
  readonly children: ArrowColumn[];

  constructor(children: ArrowColumn[], capacity: number) {
    super(capacity);
    this.children = children;
  }

  get byteLength(): number {
    return this.children.reduce((sum, child) => sum + child.byteLength, 0);
  }

  protected override growValues(): void {
    for (const child of this.children) child.reserve(this.capacity);
  }

  protected override clearValues(): void {
    for (const child of this.children) child.clear();
  }
}

/** Maps: row `i` holds the entries from `offsets[i]` to `offsets[i + 1]`; `entries` has the children key and value. */
export class MapColumn extends ValidityColumn {
  readonly kind = 'map';
  offsets: Int32Array;
  readonly entries: StructColumn;

  constructor([key, value]: [ArrowColumn, ArrowColumn], capacity: number) {
    super(capacity);
    this.entries = new StructColumn([key, value], capacity);
    this.offsets = new Int32Array(this.capacity + 1);
  }

  get byteLength(): number {
    return this.length * 4 + this.entries.byteLength;
  }

  protected override growValues(): void {
    const offsets = new Int32Array(this.capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  protected override clearValues(): void {
    this.entries.clear();
  }
}

const roundUp = (rows: number) => Math.max(8, (rows + 7) & ~7);

function viewsOf(bytes: number): [Uint8Array, Int32Array, Float32Array, Float64Array] {
  const buffer = new ArrayBuffer((bytes + 7) & ~7);
  return [new Uint8Array(buffer), new Int32Array(buffer), new Float32Array(buffer), new Float64Array(buffer)];
}

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length);
  larger.set(bytes.length > length ? bytes.subarray(0, length) : bytes);
  return larger;
}
