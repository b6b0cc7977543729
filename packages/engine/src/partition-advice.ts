import type { Stream } from '@fjord/core';

/** How a stream's table could be divided, as the option `partition` takes it, and why. */
export type PartitionAdvice = { readonly partition: readonly string[]; readonly reason: string };

/**
 * What a partition should have at least of the source's bytes: as Parquet that is some 100 MB, below which readers spend their time
 * opening files.
 */
const PARTITION_BYTES = 256 * 1024 * 1024;
/** More values of a list than this are one file each in every chunk. */
const MOST_VALUES = 1000;
const UNITS = [
  { unit: 'day', days: 1 },
  { unit: 'month', days: 30 },
  { unit: 'year', days: 365 },
] as const;
const DATED = ['date', 'timestamp', 'timestamptz'];

/**
 * Advises how to divide a stream's table, from how its own database divides it and how large it is: as finely as the source does where
 * parts stay large enough, else more coarsely. Undefined where the source does not divide it, or it is too small for any division to pay.
 */
export function advisePartition(stream: Stream): PartitionAdvice | undefined {
  const { partitioning, estimatedBytes: bytes } = stream;
  const [column] = partitioning?.columns ?? [];
  if (!partitioning || column === undefined || bytes === undefined || bytes < 2 * PARTITION_BYTES) return undefined;
  const type = stream.columns.find(({ name }) => name === column)?.type;
  const share = bytes / Math.max(1, partitioning.parts);
  const name = quoteTerm(column);
  const { strategy, width, parts } = partitioning;
  if (strategy === 'hash') return bucketAdvice(name, Math.min(parts, Math.floor(bytes / PARTITION_BYTES)));
  if (strategy === 'list' && parts <= MOST_VALUES && share >= PARTITION_BYTES) {
    return { partition: [name], reason: `the source lists ${parts} values of ${name}` };
  }
  if (strategy !== 'range' || width === undefined) return undefined;
  if (typeof type === 'string' && DATED.includes(type)) return dateAdvice(name, { width, share });
  if ((type !== 'int' && type !== 'long') || share < PARTITION_BYTES) return undefined;
  return { partition: [`truncate(${width}, ${name})`], reason: `the source has ${width} values of ${name} in a part` };
}

/** The finest unit that is no finer than the source's parts and whose partitions are large enough. */
function dateAdvice(name: string, { width, share }: { width: number; share: number }): PartitionAdvice | undefined {
  const fit = UNITS.find(({ days }) => days * 1.5 > width && (share / width) * days >= PARTITION_BYTES);
  if (!fit) return undefined;
  return {
    partition: [`${fit.unit}(${name})`],
    reason: `the source has about ${Math.round(width * 10) / 10} days of ${name} in a part`,
  };
}

function bucketAdvice(name: string, count: number): PartitionAdvice | undefined {
  if (count < 2) return undefined;
  return { partition: [`bucket(${count}, ${name})`], reason: `the source divides ${name} by hash` };
}

/** A column's name as a term of the option: in double quotes where it is no plain word. */
function quoteTerm(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
