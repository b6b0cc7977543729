import {
  type DataFile,
  encodeValue,
  isPrimitive,
  type NestedField,
  parsePrimitive,
  type PrimitiveType,
  truncateLowerBound,
  truncateUpperBound,
  type Type,
} from '@fjord/iceberg/data-file-writing';
import type { BoundValue, FileMetadata } from '@fjord/parquet';

/** The metrics of a data file, by field id, as a manifest holds them. */
export type FileMetrics = Required<
  Pick<DataFile, 'columnSizes' | 'valueCounts' | 'nullValueCounts' | 'lowerBounds' | 'upperBounds' | 'splitOffsets'>
> &
  Pick<DataFile, 'nanValueCounts'>;

/** The leaves below `fields` by field id: the types that the bounds of a file are read and merged by. */
export function leafTypes(fields: readonly NestedField[]): Map<number, PrimitiveType> {
  const types = new Map<number, PrimitiveType>();
  for (const field of fields) addLeafTypes(types, field.id, field.type);
  return types;
}

/** The Iceberg metrics of a file whose encoder knows its statistics (Iceberg spec, Data File Fields and Appendix D). */
export function metricsOf(file: FileMetadata, types: ReadonlyMap<number, PrimitiveType>): FileMetrics {
  const metrics = {
    columnSizes: new Map<number, bigint>(),
    valueCounts: new Map<number, bigint>(),
    nullValueCounts: new Map<number, bigint>(),
    nanValueCounts: new Map<number, bigint>(),
    lowerBounds: new Map<number, Uint8Array>(),
    upperBounds: new Map<number, Uint8Array>(),
    splitOffsets: file.splitOffsets.map(BigInt),
  };
  for (const { fieldId, isRepeated, lower, upper, ...column } of file.columns) {
    if (fieldId === undefined) continue;
    metrics.columnSizes.set(fieldId, BigInt(column.compressedBytes));
    metrics.valueCounts.set(fieldId, BigInt(column.valueCount));
    metrics.nullValueCounts.set(fieldId, BigInt(column.nullCount));
    if (column.nanCount !== undefined) metrics.nanValueCounts.set(fieldId, BigInt(column.nanCount));
    const type = types.get(fieldId);
    if (type === undefined || isRepeated || isWithoutBounds(type)) continue;
    const lowerBound = lower === undefined ? undefined : truncateLowerBound(type, encodeBound(type, lower));
    const upperBound = upper === undefined ? undefined : truncateUpperBound(type, encodeBound(type, upper));
    if (lowerBound) metrics.lowerBounds.set(fieldId, lowerBound);
    if (upperBound) metrics.upperBounds.set(fieldId, upperBound);
  }
  return metrics;
}

/** Readers disagree on whether uuids are ordered as signed or unsigned bytes, so any bound may hide rows from one of them. */
export function isWithoutBounds(type: PrimitiveType): boolean {
  return parsePrimitive(type).kind === 'uuid';
}

function addLeafTypes(types: Map<number, PrimitiveType>, id: number, type: Type): void {
  if (isPrimitive(type)) types.set(id, type);
  else if (type.type === 'struct') for (const field of type.fields) addLeafTypes(types, field.id, field.type);
  else if (type.type === 'list') addLeafTypes(types, type['element-id'], type.element);
  else {
    addLeafTypes(types, type['key-id'], type.key);
    addLeafTypes(types, type['value-id'], type.value);
  }
}

/** Text is given in UTF-8, which is its single-value form; small decimals as numbers. */
function encodeBound(type: PrimitiveType, bound: BoundValue): Uint8Array {
  if (bound instanceof Uint8Array) return bound;
  const { kind } = parsePrimitive(type);
  return encodeValue(type, kind === 'decimal' && typeof bound === 'number' ? BigInt(bound) : bound);
}
