import type { ArrowField, ArrowType, TimeUnit } from './arrow/arrow-type.ts';
import { ParquetError } from './errors.ts';
import { PHYSICAL } from './format.ts';
import type { LogicalType } from './logical-type.ts';
import type { ValueOrder } from './statistics/bounds.ts';
import { BooleanValues } from './values/boolean-values.ts';
import { ByteArrayValues } from './values/byte-array-values.ts';
import { FixedByteValues, loadBytes, loadReversed } from './values/fixed-byte-values.ts';
import {
  loadDays,
  loadDecimalDoubleWord,
  loadDecimalWord,
  loadDoubleWords,
  loadScaled,
  loadScaledWords,
  loadSmallIntegers,
  loadWords,
  type LoadWords,
} from './values/load-words.ts';
import type { PageValues } from './values/page-values.ts';
import { WordValues } from './values/word-values.ts';

/** How the values of a leaf are kept. */
export type LeafType = {
  readonly physical: number;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  readonly length: number | undefined;
  readonly order: ValueOrder;
  readonly isText: boolean;
  /** Makes the buffers that pages of this leaf are gathered in. */
  readonly openValues: () => PageValues;
};

type LeafForm = LeafType & { readonly logical: LogicalType | undefined };

/** The leaf of an Arrow field, its dictionary left aside (LogicalTypes.md; precision decides the physical type of decimals as Iceberg wants it). */
export function leafType(field: ArrowField, { uuidLogicalType }: { uuidLogicalType: boolean }): LeafForm {
  const { type } = field;
  switch (type.kind) {
    case 'null':
      return words(PHYSICAL.INT32, 'int32', loadWords, { kind: 'unknown' });
    case 'boolean':
      return form(PHYSICAL.BOOLEAN, 'boolean', () => new BooleanValues());
    case 'int':
      return integerLeaf(type);
    case 'float':
      return floatLeaf(type.bitWidth);
    case 'decimal':
      return decimalLeaf(field.name, type);
    case 'date':
      return words(PHYSICAL.INT32, 'int32', type.unit === 'day' ? loadWords : loadDays, { kind: 'date' });
    case 'time':
      return timeLeaf(type);
    case 'timestamp': {
      const load = type.unit === 'second' ? loadScaled(1000n) : loadDoubleWords;
      return words(PHYSICAL.INT64, 'int64', load, {
        kind: 'timestamp',
        isUtc: type.isUtc,
        unit: parquetUnit(type.unit),
      });
    }
    case 'duration':
      return words(PHYSICAL.INT64, 'int64', loadDoubleWords, undefined);
    case 'utf8':
      return { ...form(PHYSICAL.BYTE_ARRAY, 'bytes', () => new ByteArrayValues(), { kind: 'string' }), isText: true };
    case 'binary':
      return form(PHYSICAL.BYTE_ARRAY, 'bytes', () => new ByteArrayValues());
    case 'fixed': {
      if (type.byteWidth === 0) {
        throw new ParquetError(
          'unsupported',
          `Column "${field.name}" has values of no bytes, which Parquet cannot hold.`,
        );
      }
      const isUuid = type.byteWidth === 16 && field.metadata.get('ARROW:extension:name') === 'arrow.uuid';
      const load = loadBytes(type.byteWidth);
      return fixed(type.byteWidth, 'bytes', load, isUuid && uuidLogicalType ? { kind: 'uuid' } : undefined);
    }
    case 'list':
    case 'map':
    case 'fixed-list':
    case 'struct':
      throw new Error(`a ${type.kind} is no leaf`);
    default:
      return type satisfies never;
  }
}

function integerLeaf({ bitWidth, isSigned }: Extract<ArrowType, { kind: 'int' }>): LeafForm {
  // Signed 32 and 64 bits are what the physical types mean by themselves.
  const logical: LogicalType | undefined =
    isSigned && bitWidth >= 32 ? undefined : { kind: 'integer', bitWidth, isSigned };
  if (bitWidth === 64) return words(PHYSICAL.INT64, isSigned ? 'int64' : 'uint64', loadDoubleWords, logical);
  const load = bitWidth === 32 ? loadWords : loadSmallIntegers(bitWidth, isSigned);
  return words(PHYSICAL.INT32, isSigned ? 'int32' : 'uint32', load, logical);
}

function floatLeaf(bitWidth: 16 | 32 | 64): LeafForm {
  if (bitWidth === 16) return fixed(2, 'float16', loadBytes(2), { kind: 'float16' });
  return bitWidth === 32
    ? words(PHYSICAL.FLOAT, 'float', loadWords, undefined)
    : words(PHYSICAL.DOUBLE, 'double', loadDoubleWords, undefined);
}

function decimalLeaf(name: string, { precision, scale, bitWidth }: Extract<ArrowType, { kind: 'decimal' }>): LeafForm {
  if (precision < 1 || precision > 76 || scale < 0 || scale > precision) {
    throw new ParquetError(
      'unsupported',
      `Column "${name}" is a decimal(${precision},${scale}), which Parquet cannot hold.`,
    );
  }
  const logical: LogicalType = { kind: 'decimal', precision, scale };
  const stride = bitWidth >> 5;
  if (precision <= 9) return words(PHYSICAL.INT32, 'int32', loadDecimalWord(stride), logical);
  if (precision <= 18) return words(PHYSICAL.INT64, 'int64', loadDecimalDoubleWord(stride), logical);
  const width = decimalBytes(precision);
  return fixed(width, 'decimal', loadReversed(bitWidth >> 3, width), logical);
}

/** The fewest bytes of two's complement that hold every decimal of this precision. */
function decimalBytes(precision: number): number {
  const largest = 10n ** BigInt(precision) - 1n;
  let bytes = 1;
  while (BigInt.asIntN(8 * bytes, largest) !== largest) bytes += 1;
  return bytes;
}

function timeLeaf({ unit, bitWidth }: Extract<ArrowType, { kind: 'time' }>): LeafForm {
  const logical: LogicalType = { kind: 'time', isUtc: false, unit: parquetUnit(unit) };
  if (bitWidth === 64) return words(PHYSICAL.INT64, 'int64', loadDoubleWords, logical);
  return words(PHYSICAL.INT32, 'int32', unit === 'second' ? loadScaledWords(1000) : loadWords, logical);
}

/** Parquet has no seconds: they become milliseconds. */
function parquetUnit(unit: TimeUnit): Exclude<TimeUnit, 'second'> {
  return unit === 'second' ? 'millisecond' : unit;
}

function words(physical: number, order: ValueOrder, load: LoadWords, logical: LogicalType | undefined): LeafForm {
  const width = physical === PHYSICAL.INT32 || physical === PHYSICAL.FLOAT ? 1 : 2;
  return form(physical, order, () => new WordValues(width, order, load), logical);
}

function fixed(
  length: number,
  order: ValueOrder,
  load: ReturnType<typeof loadBytes>,
  logical: LogicalType | undefined,
): LeafForm {
  const openValues = () => new FixedByteValues(length, order, load);
  return { ...form(PHYSICAL.FIXED_LEN_BYTE_ARRAY, order, openValues, logical), length };
}

function form(physical: number, order: ValueOrder, openValues: () => PageValues, logical?: LogicalType): LeafForm {
  return { physical, order, openValues, logical, length: undefined, isText: false };
}
