import { ParquetError } from '../errors.ts';
import type { ArrowField, ArrowType, DictionaryEncoding, TimeUnit } from './arrow-type.ts';
import { FlatTable } from './flatbuffer.ts';

const SCHEMA = { ENDIANNESS: 0, FIELDS: 1 };
const FIELD = { NAME: 0, NULLABLE: 1, TYPE_KIND: 2, TYPE: 3, DICTIONARY: 4, CHILDREN: 5, METADATA: 6 };
const DICTIONARY = { ID: 0, INDEX_TYPE: 1 };
const KEY_VALUE = { KEY: 0, VALUE: 1 };
const UNITS: readonly TimeUnit[] = ['second', 'millisecond', 'microsecond', 'nanosecond'];
const DATE_UNITS = ['day', 'millisecond'] as const;
const FLOAT_BITS = [16, 32, 64] as const;
/** The most digits that decimals of so many bits hold. */
const DECIMAL_DIGITS: Record<number, number> = { 32: 9, 64: 18, 128: 38, 256: 76 };
/** Names of the members of the union Type that have no form here, for messages. */
const UNSUPPORTED: Record<number, string> = {
  11: 'interval',
  14: 'union',
  22: 'run-end encoded',
  23: 'binary view',
  24: 'string view',
  25: 'list view',
  26: 'large list view',
};

/** The fields of a Schema message (Schema.fbs). Throws `unsupported` for types without a form in Parquet. */
export function readSchema(schema: FlatTable): ArrowField[] {
  if (schema.short(SCHEMA.ENDIANNESS) !== 0) throw new ParquetError('unsupported', 'The Arrow stream is big-endian.');
  // A field takes more than a word: there are more only if they share their bytes, which a damaged message can do without end.
  const budget = { fields: schema.view.byteLength >> 2 };
  return schema.tables(SCHEMA.FIELDS).map((field) => readField(field, budget));
}

function readField(field: FlatTable, budget: { fields: number }): ArrowField {
  if (budget.fields-- <= 0) throw new ParquetError('invalid_arrow', 'The Arrow schema has fields within themselves.');
  const name = field.string(FIELD.NAME) ?? '';
  const metadata = field.tables(FIELD.METADATA);
  return {
    name,
    isNullable: field.byte(FIELD.NULLABLE) !== 0,
    type: readType(name, field.byte(FIELD.TYPE_KIND), field.table(FIELD.TYPE)),
    children: field.tables(FIELD.CHILDREN).map((child) => readField(child, budget)),
    dictionary: readDictionary(field.table(FIELD.DICTIONARY)),
    metadata: new Map(metadata.map((pair) => [pair.string(KEY_VALUE.KEY) ?? '', pair.string(KEY_VALUE.VALUE) ?? ''])),
  };
}

function readDictionary(dictionary: FlatTable | undefined): DictionaryEncoding | undefined {
  if (!dictionary) return undefined;
  const index = dictionary.table(DICTIONARY.INDEX_TYPE);
  return {
    id: dictionary.long(DICTIONARY.ID),
    index: index ? readInt(index) : { kind: 'int', bitWidth: 32, isSigned: true },
  };
}

/** The numbers are those of the union Type in Schema.fbs; its members' fields go by their order there. */
function readType(name: string, kind: number, type: FlatTable | undefined): ArrowType {
  if (!type) throw new ParquetError('invalid_arrow', `Column "${name}" of the Arrow schema has no type.`);
  switch (kind) {
    case 1:
      return { kind: 'null' };
    case 2:
      return readInt(type);
    case 3:
      return { kind: 'float', bitWidth: FLOAT_BITS[type.short(0)] ?? invalid(`floats of precision ${type.short(0)}`) };
    case 4:
    case 19:
      return { kind: 'binary', isLarge: kind === 19 };
    case 5:
    case 20:
      return { kind: 'utf8', isLarge: kind === 20 };
    case 6:
      return { kind: 'boolean' };
    case 7:
      return readDecimal(type);
    case 8:
      return { kind: 'date', unit: DATE_UNITS[type.short(0, 1)] ?? invalid(`a date unit ${type.short(0, 1)}`) };
    case 9:
      return readTime(type);
    case 10:
      return { kind: 'timestamp', unit: unitOf(type.short(0)), isUtc: (type.string(1) ?? '') !== '' };
    case 12:
    case 21:
      return { kind: 'list', isLarge: kind === 21 };
    case 13:
      return { kind: 'struct' };
    case 15:
      return { kind: 'fixed', byteWidth: sizeOf(name, type.int(0)) };
    case 16:
      return { kind: 'fixed-list', length: sizeOf(name, type.int(0)) };
    case 17:
      return { kind: 'map', isLarge: false };
    case 18:
      return { kind: 'duration' };
    default:
      throw new ParquetError('unsupported', `Column "${name}" has the Arrow type ${UNSUPPORTED[kind] ?? kind}.`);
  }
}

function readInt(type: FlatTable): Extract<ArrowType, { kind: 'int' }> {
  const bitWidth = type.int(0);
  if (bitWidth === 8 || bitWidth === 16 || bitWidth === 32 || bitWidth === 64) {
    return { kind: 'int', bitWidth, isSigned: type.byte(1) !== 0 };
  }
  return invalid(`integers of ${bitWidth} bits`);
}

function readDecimal(type: FlatTable): ArrowType {
  const [precision, scale, bitWidth] = [type.int(0), type.int(1), type.int(2, 128)];
  const digits = DECIMAL_DIGITS[bitWidth] ?? invalid(`decimals of ${bitWidth} bits`);
  if (precision > digits) invalid(`decimals of ${precision} digits in ${bitWidth} bits`);
  return { kind: 'decimal', precision, scale, bitWidth };
}

/** Seconds and milliseconds take 32 bits, the finer units 64. */
function readTime(type: FlatTable): ArrowType {
  const unit = unitOf(type.short(0, 1));
  const bitWidth = unit === 'second' || unit === 'millisecond' ? 32 : 64;
  if (type.int(1, 32) !== bitWidth) invalid(`times in ${unit}s of ${type.int(1, 32)} bits`);
  return { kind: 'time', unit, bitWidth };
}

function unitOf(unit: number): TimeUnit {
  return UNITS[unit] ?? invalid(`a time unit ${unit}`);
}

function sizeOf(name: string, size: number): number {
  if (size >= 0) return size;
  return invalid(`a negative size, in column "${name}"`);
}

function invalid(what: string): never {
  throw new ParquetError('invalid_arrow', `The Arrow schema has ${what}.`);
}
