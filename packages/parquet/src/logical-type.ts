import type { TimeUnit } from './arrow/arrow-type.ts';
import type { CompactWriter } from './thrift/compact-writer.ts';

/** What values mean (LogicalTypes.md), as far as this writer annotates them. */
export type LogicalType =
  | { readonly kind: 'string' | 'map' | 'list' | 'date' | 'unknown' | 'uuid' | 'float16' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly isUtc: boolean; readonly unit: Exclude<TimeUnit, 'second'> }
  | { readonly kind: 'integer'; readonly bitWidth: number; readonly isSigned: boolean };

/** Field ids of the union LogicalType in parquet.thrift. */
const UNION = {
  string: 1,
  map: 2,
  list: 3,
  decimal: 5,
  date: 6,
  time: 7,
  timestamp: 8,
  integer: 10,
  unknown: 11,
  uuid: 14,
  float16: 15,
};
/** Field ids of the union TimeUnit. */
const UNIT = { millisecond: 1, microsecond: 2, nanosecond: 3 };
/** Of the older enum ConvertedType, which old readers go by. */
const CONVERTED = { string: 0, map: 1, list: 3, decimal: 5, date: 6 };
const CONVERTED_TIME = { millisecond: 7, microsecond: 8, nanosecond: undefined };
const CONVERTED_TIMESTAMP = { millisecond: 9, microsecond: 10, nanosecond: undefined };
const CONVERTED_UNSIGNED: Record<number, number> = { 8: 11, 16: 12, 32: 13, 64: 14 };
const CONVERTED_SIGNED: Record<number, number> = { 8: 15, 16: 16, 32: 17, 64: 18 };

/** The ConvertedType that means the same; undefined where there is none. Local times count as UTC there, so those have none (LogicalTypes.md, Timestamp). */
export function convertedType(type: LogicalType): number | undefined {
  switch (type.kind) {
    case 'string':
    case 'map':
    case 'list':
    case 'decimal':
    case 'date':
      return CONVERTED[type.kind];
    case 'time':
      return type.isUtc ? CONVERTED_TIME[type.unit] : undefined;
    case 'timestamp':
      return type.isUtc ? CONVERTED_TIMESTAMP[type.unit] : undefined;
    case 'integer':
      return (type.isSigned ? CONVERTED_SIGNED : CONVERTED_UNSIGNED)[type.bitWidth];
    case 'unknown':
    case 'uuid':
    case 'float16':
      return undefined;
    default:
      return type satisfies never;
  }
}

/** Writes the union LogicalType as field `id` of the struct that is being written. */
export function writeLogicalType(writer: CompactWriter, id: number, type: LogicalType): void {
  writer.struct(id, () =>
    writer.struct(UNION[type.kind], () => {
      if (type.kind === 'decimal') {
        writer.i32(1, type.scale);
        writer.i32(2, type.precision);
      } else if (type.kind === 'time' || type.kind === 'timestamp') {
        writer.boolean(1, type.isUtc);
        writer.struct(2, () => writer.struct(UNIT[type.unit], () => {}));
      } else if (type.kind === 'integer') {
        writer.byte(1, type.bitWidth);
        writer.boolean(2, type.isSigned);
      }
    }),
  );
}
