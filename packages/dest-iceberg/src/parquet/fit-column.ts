import {
  Binary,
  type Data,
  DataType,
  type Decimal,
  type Field,
  type FixedSizeBinary,
  makeData,
  type Timestamp,
  Type,
  Utf8,
} from 'apache-arrow';
import { IcebergError } from '@fjord/iceberg';

/** The id of a field, from the metadata that Parquet readers and writers agree on. */
export function fieldIdOf({ metadata }: Field): number | undefined {
  const id = metadata.get('PARQUET:field_id');
  return id === undefined ? undefined : Number(id);
}

/**
 * A column as `target` wants it: the same buffers where its Arrow layout is that already, else converted without loss: narrower numbers are
 * widened, dictionaries and 64-bit offsets replaced, fields of structs found by id, those that a file lacks null. Throws `unsupported` for the rest.
 */
export function fitColumn(data: Data, source: Field, target: Field): Data {
  if (DataType.isDictionary(data.type)) return fitColumn(expandDictionary(data), source, target);
  const { type } = target;
  if (DataType.isStruct(type) && DataType.isStruct(data.type)) return fitStruct(data, source, target);
  if (DataType.isList(type)) return fitList(data, source, target);
  if (DataType.isMap(type) && DataType.isMap(data.type)) return fitMap(data, source, target);
  if (hasSameLayout(data.type, type)) return data.type.typeId === type.typeId ? data : rebuilt(data, type, data);
  const values = convertValues(data, type);
  if (values) return rebuilt(data, type, { values });
  if (isText(type) && isLargeText(data.type)) {
    return rebuilt(data, type, { values: data.values, valueOffsets: narrowOffsets(data) });
  }
  throw new IcebergError(
    'unsupported',
    `Column "${target.name}" is ${Type[data.type.typeId]} in a file where the table has ${Type[type.typeId]}.`,
  );
}

/** A column of nothing but nulls. */
export function nullColumn(type: DataType, length: number): Data {
  const base = { type, length, nullCount: length, nullBitmap: new Uint8Array((length + 7) >> 3) };
  const offsets = { valueOffsets: new Int32Array(length + 1) };
  if (DataType.isStruct(type)) {
    return makeData({ ...base, type, children: type.children.map((child) => nullColumn(child.type, length)) });
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const [child] = type.children;
    if (!child) throw new Error('an Arrow list has no child');
    return makeData({ ...base, ...offsets, child: nullColumn(child.type, 0) } as never);
  }
  if (isText(type)) return makeData({ ...base, ...offsets, data: new Uint8Array(0) } as never);
  if (DataType.isBool(type)) return makeData({ ...base, type, data: new Uint8Array((length + 7) >> 3) });
  const values = type.ArrayType as new (length: number) => ArrayBufferView;
  return makeData({ ...base, data: new values(length * strideOf(type)) } as never);
}

function fitStruct(data: Data, source: Field, target: Field): Data {
  const { type } = target;
  const sources = childrenOf(source.type);
  const children = childrenOf(type).map((child) => {
    const index = sources.findIndex((candidate) => fieldIdOf(candidate) === fieldIdOf(child));
    const [own, from] = [data.children[index], sources[index]];
    if (own && from) return fitColumn(own, from, child);
    if (child.nullable) return nullColumn(child.type, data.length);
    throw new IcebergError('unsupported', `A file lacks the required field "${child.name}" of "${target.name}".`);
  });
  const isSame = children.length === sources.length && children.every((child, index) => child === data.children[index]);
  return isSame ? data : makeData({ ...validityOf(data), type, children } as never);
}

function fitList(data: Data, source: Field, target: Field): Data {
  const isLarge = data.type.typeId === Type.LargeList;
  const [own, from, to] = [data.children[0], childrenOf(source.type)[0], childrenOf(target.type)[0]];
  if (!own || !from || !to || !(isLarge || DataType.isList(data.type))) {
    throw new IcebergError(
      'unsupported',
      `Column "${target.name}" is ${Type[data.type.typeId]} in a file where the table has a list.`,
    );
  }
  const child = fitColumn(own, from, to);
  if (child === own && !isLarge) return data;
  const valueOffsets = isLarge ? narrowOffsets(data) : data.valueOffsets;
  return makeData({ ...validityOf(data), type: target.type, valueOffsets, child } as never);
}

/** Keys and values go by their place: ids within a map are the table's business. */
function fitMap(data: Data, source: Field, target: Field): Data {
  const [entries, from, to] = [data.children[0], childrenOf(source.type)[0], childrenOf(target.type)[0]];
  if (!entries || !from || !to) throw new Error('an Arrow map has no entries');
  const children = childrenOf(to.type).map((child, index) => {
    const [own, part] = [entries.children[index], childrenOf(from.type)[index]];
    if (!own || !part) throw new Error('the entries of an Arrow map are no pairs');
    return fitColumn(own, part, child);
  });
  if (children.every((child, index) => child === entries.children[index])) return data;
  const child = makeData({ ...validityOf(entries), type: to.type, children } as never);
  return makeData({ ...validityOf(data), type: target.type, valueOffsets: data.valueOffsets, child } as never);
}

/** Text and bytes lie alike; so do decimals of one scale, and timestamps of one unit that are both in UTC or both local. */
function hasSameLayout(source: DataType, target: DataType): boolean {
  if (isText(target)) return isText(source);
  if (source.typeId !== target.typeId) return false;
  if (DataType.isDecimal(target)) return sameDecimals(source as Decimal, target);
  if (DataType.isFixedSizeBinary(target)) return (source as FixedSizeBinary).byteWidth === target.byteWidth;
  if (DataType.isTimestamp(target)) {
    const own = source as Timestamp;
    return own.unit === target.unit && ((own.timezone ?? '') !== '') === ((target.timezone ?? '') !== '');
  }
  if (DataType.isInt(target) && DataType.isInt(source)) {
    return source.bitWidth === target.bitWidth && source.isSigned === target.isSigned;
  }
  if (DataType.isFloat(target) && DataType.isFloat(source)) return source.precision === target.precision;
  if (DataType.isTime(target) && DataType.isTime(source)) return source.unit === target.unit;
  return DataType.isBool(target) || (DataType.isDate(target) && DataType.isDate(source) && source.unit === target.unit);
}

const sameDecimals = (source: Decimal, target: Decimal) =>
  source.bitWidth === target.bitWidth && source.scale === target.scale && source.precision <= target.precision;

/** The values in the target's width, where every one of them has a place there. */
function convertValues(data: Data, type: DataType): ArrayBufferView | undefined {
  const source = data.type;
  if (DataType.isInt(type) && DataType.isInt(source)) {
    if (source.bitWidth < 32 && type.bitWidth === 32) return Int32Array.from(data.values as Int16Array);
    if (source.bitWidth === 32 && source.isSigned && type.bitWidth === 64) return widenInts(data.values as Int32Array);
  }
  if (DataType.isFloat(type) && DataType.isFloat(source) && source.precision < type.precision) {
    return Float64Array.from(data.values as Float32Array);
  }
  return undefined;
}

function widenInts(values: Int32Array): BigInt64Array {
  const words = new Int32Array(2 * values.length);
  for (let row = 0; row < values.length; row++) {
    words[2 * row] = values[row]!;
    words[2 * row + 1] = values[row]! >> 31;
  }
  return new BigInt64Array(words.buffer);
}

function expandDictionary(data: Data): Data {
  const [dictionary, ...more] = data.dictionary?.data ?? [];
  if (
    !dictionary ||
    more.length > 0 ||
    dictionary.nullCount > 0 ||
    !(isText(dictionary.type) || isLargeText(dictionary.type))
  ) {
    throw new IcebergError('unsupported', `A file has a dictionary column of ${Type[data.type.typeId]}.`);
  }
  const offsets = isText(dictionary.type) ? dictionary.valueOffsets : narrowOffsets(dictionary);
  const [indices, bytes] = [data.values as Int32Array, dictionary.values as Uint8Array];
  const valueOffsets = new Int32Array(data.length + 1);
  const lengthOf = (row: number) => (isNull(data, row) ? 0 : offsets[indices[row]! + 1]! - offsets[indices[row]!]!);
  for (let row = 0; row < data.length; row++) valueOffsets[row + 1] = valueOffsets[row]! + lengthOf(row);
  const values = new Uint8Array(valueOffsets[data.length]!);
  for (let row = 0; row < data.length; row++) {
    const from = isNull(data, row) ? 0 : offsets[indices[row]!]!;
    values.set(bytes.subarray(from, from + lengthOf(row)), valueOffsets[row]!);
  }
  const isString = DataType.isUtf8(dictionary.type) || DataType.isLargeUtf8(dictionary.type);
  return rebuilt(data, isString ? new Utf8() : new Binary(), { values, valueOffsets });
}

function isNull(data: Data, row: number): boolean {
  return data.nullCount > 0 && ((data.nullBitmap?.[row >> 3] ?? 0xff) & (1 << (row & 7))) === 0;
}

type Buffers = { values: ArrayBufferView; valueOffsets?: Int32Array };

function rebuilt(data: Data, type: DataType, { values, valueOffsets }: Buffers): Data {
  return makeData({ ...validityOf(data), type, data: values, ...(valueOffsets && { valueOffsets }) } as never);
}

function validityOf({ length, nullCount, nullBitmap }: Data) {
  return { length, nullCount, nullBitmap: nullCount > 0 ? nullBitmap : undefined };
}

/** 64-bit offsets in 32 bits: what they point into is one buffer of JavaScript, and a batch is far smaller. */
function narrowOffsets(data: Data): Int32Array {
  const wide: BigInt64Array = data.valueOffsets as never;
  return Int32Array.from({ length: data.length + 1 }, (_, row) => Number(wide[row] ?? 0n));
}

const childrenOf = (type: DataType): readonly Field[] => type.children ?? [];
const isText = (type: DataType) => DataType.isUtf8(type) || DataType.isBinary(type);
const isLargeText = (type: DataType) => DataType.isLargeUtf8(type) || DataType.isLargeBinary(type);

/** Elements of the values' array a row. */
function strideOf(type: DataType): number {
  if (DataType.isFixedSizeBinary(type)) return type.byteWidth;
  return DataType.isDecimal(type) ? type.bitWidth / 32 : 1;
}
