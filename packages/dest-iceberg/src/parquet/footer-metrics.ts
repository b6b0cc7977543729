import {
  compareBounds,
  decodeValue,
  parsePrimitive,
  type PrimitiveType,
  truncateLowerBound,
  truncateUpperBound,
} from '@fjord/iceberg';
import { type ColumnChunk, type ParquetFooter, type ParquetLeaf, PHYSICAL } from '@fjord/parquet';
import { type FileMetrics, isWithoutBounds } from './metrics.ts';

/**
 * Merges the statistics of all row groups into Iceberg metrics, by each column's type (Iceberg spec, Data File Fields and Appendix D).
 * A bound that any row group leaves open is left out: readers skip files by bounds, so a wrong one hides rows.
 */
export function footerMetrics(footer: ParquetFooter, types: ReadonlyMap<number, PrimitiveType>): FileMetrics {
  const metrics = {
    columnSizes: new Map<number, bigint>(),
    valueCounts: new Map<number, bigint>(),
    nullValueCounts: new Map<number, bigint>(),
    lowerBounds: new Map<number, Uint8Array>(),
    upperBounds: new Map<number, Uint8Array>(),
    splitOffsets: footer.rowGroups.map((group) => group.startOffset),
  };
  for (const [index, leaf] of footer.leaves.entries()) {
    if (leaf.fieldId === undefined) continue;
    const chunks = footer.rowGroups.map((group) => columnOf(group.columns, index));
    metrics.columnSizes.set(leaf.fieldId, sum(chunks.map((chunk) => chunk.compressedBytes)));
    metrics.valueCounts.set(leaf.fieldId, sum(chunks.map((chunk) => chunk.valueCount)));
    const nullCounts = chunks.flatMap((chunk) => chunk.nullCount ?? []);
    if (nullCounts.length === chunks.length) metrics.nullValueCounts.set(leaf.fieldId, sum(nullCounts));
    const type = types.get(leaf.fieldId);
    const bounds = type && !leaf.isRepeated ? mergeBounds(type, leaf, chunks) : undefined;
    if (bounds?.lower) metrics.lowerBounds.set(leaf.fieldId, bounds.lower);
    if (bounds?.upper) metrics.upperBounds.set(leaf.fieldId, bounds.upper);
  }
  return metrics;
}

type Bounds = { lower: Uint8Array | undefined; upper: Uint8Array | undefined };

function columnOf(columns: readonly ColumnChunk[], index: number): ColumnChunk {
  const chunk = columns[index];
  if (!chunk) throw new Error('a row group of a Parquet file has too few columns');
  return chunk;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

function mergeBounds(type: PrimitiveType, leaf: ParquetLeaf, chunks: readonly ColumnChunk[]): Bounds | undefined {
  if (isWithoutBounds(type)) return undefined;
  const filled = chunks.filter((chunk) => chunk.valueCount === 0n || chunk.nullCount !== chunk.valueCount);
  if (filled.length === 0) return undefined;
  const lower = merge(
    type,
    filled.map((chunk) => toBound(type, leaf, chunk.min)),
    (order) => order < 0,
  );
  const upper = merge(
    type,
    filled.map((chunk) => toBound(type, leaf, chunk.max)),
    (order) => order > 0,
  );
  return {
    lower: lower && truncateLowerBound(type, widenZero(type, lower, 'lower')),
    upper: upper && truncateUpperBound(type, widenZero(type, upper, 'upper')),
  };
}

/** The extreme of the bounds in the type's own order; unknown as soon as one of them is. */
function merge(
  type: PrimitiveType,
  bounds: readonly (Uint8Array | undefined)[],
  isBetter: (order: number) => boolean,
): Uint8Array | undefined {
  let best: Uint8Array | undefined;
  for (const bound of bounds) {
    if (!bound) return undefined;
    if (!best || isBetter(compareBounds(type, bound, best))) best = bound;
  }
  return best;
}

/** A Parquet statistic in Iceberg's single-value form; undefined if it is missing or may not be a bound (NaN, another length). */
function toBound(type: PrimitiveType, leaf: ParquetLeaf, statistic: Uint8Array | undefined): Uint8Array | undefined {
  if (!statistic) return undefined;
  const primitive = parsePrimitive(type);
  switch (primitive.kind) {
    case 'string':
    case 'binary':
      return statistic;
    case 'fixed':
      return statistic.length === primitive.length ? statistic : undefined;
    case 'decimal':
      return decimalBound(leaf, statistic);
    case 'float':
    case 'double':
      return hasWidth(statistic, [4, 8]) && !Number.isNaN(decodeValue(type, statistic)) ? statistic : undefined;
    case 'boolean':
      return hasWidth(statistic, [1]) ? statistic : undefined;
    case 'int':
    case 'long':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return hasWidth(statistic, [4, 8]) ? statistic : undefined;
    case 'uuid':
    case 'unknown':
    case 'variant':
      return undefined;
    default:
      return primitive satisfies never;
  }
}

function hasWidth(bytes: Uint8Array, widths: readonly number[]): boolean {
  return widths.includes(bytes.length);
}

/** Parquet stores small decimals as little-endian integers, others big-endian; Iceberg wants the fewest big-endian bytes. */
function decimalBound(leaf: ParquetLeaf, statistic: Uint8Array): Uint8Array | undefined {
  if (statistic.length === 0) return undefined;
  const isLittleEndian = leaf.physicalType === PHYSICAL.INT32 || leaf.physicalType === PHYSICAL.INT64;
  const bytes = isLittleEndian ? statistic.toReversed() : statistic;
  let start = 0;
  while (start < bytes.length - 1 && isSignExtension(bytes[start], bytes[start + 1])) start++;
  return bytes.slice(start);
}

function isSignExtension(byte: number | undefined, next: number | undefined): boolean {
  if (next === undefined) return false;
  return (byte === 0 && next < 0x80) || (byte === 0xff && next >= 0x80);
}

/** -0 and +0 are equal for some readers and ordered for others: a lower bound of zero is -0, an upper one +0 (parquet.thrift, ColumnOrder). */
function widenZero(type: PrimitiveType, bound: Uint8Array, side: 'lower' | 'upper'): Uint8Array {
  const { kind } = parsePrimitive(type);
  if ((kind !== 'float' && kind !== 'double') || decodeValue(type, bound) !== 0) return bound;
  const zero = new Uint8Array(bound.length);
  if (side === 'lower') zero[zero.length - 1] = 0x80;
  return zero;
}
