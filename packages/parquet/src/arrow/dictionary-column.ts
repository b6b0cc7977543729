import { ParquetError } from '../errors.ts';
import type { ArrowColumn } from './arrow-column.ts';
import { byteWidth } from './record-batch.ts';

/** A column with every dictionary-encoded part, however deep, replaced by its values. Others come back as they are. */
export function decodeDictionaries(column: ArrowColumn, dictionaries: ReadonlyMap<number, ArrowColumn>): ArrowColumn {
  const { field } = column;
  if (field.dictionary) {
    const dictionary = dictionaries.get(field.dictionary.id);
    if (dictionary) return gather(column, dictionary);
    throw new ParquetError('invalid_arrow', `Column "${field.name}" has a dictionary that did not come before it.`);
  }
  if (!field.children.some(hasDictionary)) return column;
  return { ...column, children: column.children.map((child) => decodeDictionaries(child, dictionaries)) };
}

function hasDictionary(field: ArrowColumn['field']): boolean {
  return field.dictionary !== undefined || field.children.some(hasDictionary);
}

function gather(column: ArrowColumn, dictionary: ArrowColumn): ArrowColumn {
  const { field, length } = column;
  const validity = new Uint8Array((length + 7) >> 3);
  const indices = new Int32Array(length);
  for (let row = 0; row < length; row++) {
    const index = isValid(column.validity, row) ? indexAt(column, row) : -1;
    if (index >= dictionary.length) {
      throw new ParquetError('invalid_arrow', `Column "${field.name}" points beyond its dictionary.`);
    }
    // A dictionary may itself hold a null.
    const isThere = index >= 0 && isValid(dictionary.validity, index);
    indices[row] = isThere ? index : -1;
    if (isThere) validity[row >> 3]! |= 1 << (row & 7);
  }
  const base = { field: { ...field, dictionary: undefined }, length, validity, children: [] };
  switch (field.type.kind) {
    case 'utf8':
    case 'binary':
      return { ...base, ...gatherBytes(dictionary, indices) };
    case 'boolean':
      return { ...base, offsets: dictionary.offsets, values: gatherBits(dictionary.values, indices) };
    case 'struct':
    case 'list':
    case 'map':
    case 'fixed-list':
    case 'null':
      throw new ParquetError('unsupported', `Column "${field.name}" has a dictionary of type ${field.type.kind}.`);
    case 'int':
    case 'float':
    case 'decimal':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'duration':
    case 'fixed':
      return {
        ...base,
        offsets: dictionary.offsets,
        values: gatherFixed(dictionary.values, indices, byteWidth(field.type)),
      };
    default:
      return field.type satisfies never;
  }
}

function isValid(validity: Uint8Array | undefined, row: number): boolean {
  return validity === undefined || (validity[row >> 3]! & (1 << (row & 7))) !== 0;
}

/** A negative or absurd index comes out as one beyond every dictionary. */
function indexAt({ values, field }: ArrowColumn, row: number): number {
  const { bitWidth, isSigned } = field.dictionary?.index ?? { bitWidth: 32, isSigned: true };
  const width = bitWidth >> 3;
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const low =
    width === 1 ? view.getUint8(row) : width === 2 ? view.getUint16(row * 2, true) : view.getUint32(row * width, true);
  const high = width === 8 ? view.getUint32(row * 8 + 4, true) : 0;
  const isNegative = isSigned && low >= 2 ** (bitWidth - 1);
  return high === 0 && !isNegative ? low : Number.MAX_SAFE_INTEGER;
}

function gatherBytes({ offsets, values }: ArrowColumn, indices: Int32Array) {
  const ends = new Int32Array(indices.length + 1);
  let end = 0;
  for (const [row, index] of indices.entries()) {
    if (index >= 0) end += offsets[index + 1]! - offsets[index]!;
    if (end > 0x7fff_ffff) throw new ParquetError('unsupported', 'A dictionary column has a batch of more than 2 GB.');
    ends[row + 1] = end;
  }
  const gathered = new Uint8Array(end);
  for (const [row, index] of indices.entries()) {
    if (index >= 0) gathered.set(values.subarray(offsets[index]!, offsets[index + 1]!), ends[row]!);
  }
  return { offsets: ends, values: gathered };
}

function gatherBits(values: Uint8Array, indices: Int32Array): Uint8Array {
  const gathered = new Uint8Array((indices.length + 7) >> 3);
  for (const [row, index] of indices.entries()) {
    if (index >= 0 && isValid(values, index)) gathered[row >> 3]! |= 1 << (row & 7);
  }
  return gathered;
}

function gatherFixed(values: Uint8Array, indices: Int32Array, width: number): Uint8Array {
  const gathered = new Uint8Array(indices.length * width);
  for (const [row, index] of indices.entries()) {
    if (index >= 0) gathered.set(values.subarray(index * width, (index + 1) * width), row * width);
  }
  return gathered;
}
