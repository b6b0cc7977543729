import type { DataFile } from './data-file.ts';
import type { PartitionColumn } from './partition-spec.ts';
import { type Value, compareValues, encodeValue } from './single-value.ts';

/** What the values of one partition field are in all files of a manifest (spec: field_summary). Bounds are serialized values. */
export interface FieldSummary {
  readonly containsNull: boolean;
  readonly containsNan?: boolean;
  readonly lowerBound?: Uint8Array;
  readonly upperBound?: Uint8Array;
}

/** Summarizes the partitions of files, one summary a partition field; undefined for an unpartitioned table. */
export function summarizePartitions(
  columns: readonly PartitionColumn[],
  files: readonly DataFile[],
): FieldSummary[] | undefined {
  if (columns.length === 0) return undefined;
  return columns.map((column) => summarize(column, files));
}

function summarize({ field, type }: PartitionColumn, files: readonly DataFile[]): FieldSummary {
  const values = files.map((file) => file.partition?.get(field['field-id']) ?? null);
  const present = values.filter((value) => value !== null);
  const comparable = present.filter((value) => !Number.isNaN(value));
  const lowest = extreme(comparable, -1);
  const highest = extreme(comparable, 1);
  return {
    containsNull: present.length < values.length,
    containsNan: comparable.length < present.length,
    ...(lowest === undefined ? {} : { lowerBound: encodeValue(type, lowest) }),
    ...(highest === undefined ? {} : { upperBound: encodeValue(type, highest) }),
  };
}

function extreme(values: readonly Value[], sign: 1 | -1): Value | undefined {
  let found: Value | undefined;
  for (const value of values) {
    if (found === undefined || compareValues(value, found) * sign > 0) found = value;
  }
  return found;
}
