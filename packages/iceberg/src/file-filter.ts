import type { DataFile, Partition } from './data-file.ts';
import { parsePrimitive } from './data-type.ts';
import type { ManifestFile } from './manifest-list.ts';
import { type PartitionColumn, partitionColumns } from './partition-spec.ts';
import type { FieldSummary } from './partition-summary.ts';
import { projectTest } from './partition-test.ts';
import { type BoundPredicate, type Predicate, type Test, bindPredicate, mayHold, testedColumns } from './predicate.ts';
import { decodeValue } from './single-value.ts';
import { type TableMetadata, specById } from './table-metadata.ts';
import type { Schema } from './schema.ts';
import { type ValueRange, mayPass } from './value-range.ts';

/** Tells by partition summaries, partition values and metrics which manifests and files may hold rows that a predicate holds for. */
export class FileFilter {
  readonly #predicate: BoundPredicate;
  readonly #metadata: TableMetadata;
  readonly #schema: Schema;
  readonly #columns = new Map<number, readonly PartitionColumn[] | undefined>();

  constructor(predicate: Predicate, metadata: TableMetadata, schema: Schema) {
    this.#predicate = bindPredicate(predicate, schema);
    this.#metadata = metadata;
    this.#schema = schema;
  }

  /** The columns, by field id, whose metrics it looks at. */
  get columns(): ReadonlySet<number> {
    return testedColumns(this.#predicate);
  }

  /** Whether a manifest may list such a file. */
  acceptsManifest({ specId, partitions }: ManifestFile): boolean {
    const columns = this.#columnsOf(specId);
    if (!partitions || !columns || columns.length !== partitions.length) return true;
    const ranges = columns.map((column, index) => rangeOfSummary(column, partitions[index]));
    return mayHold(this.#predicate, (test) => passesPartition(test, columns, ranges));
  }

  /** Whether a file's partition may hold such rows: true of data files and of deletes that apply to them. */
  acceptsPartition(specId: number, partition: Partition | undefined): boolean {
    const columns = this.#columnsOf(specId);
    if (!columns || !partition) return true;
    const ranges = columns.map((column) => rangeOfValue(column, partition));
    return mayHold(this.#predicate, (test) => passesPartition(test, columns, ranges));
  }

  /** Whether a data file's metrics leave it possible that it holds such rows. */
  acceptsMetrics(file: DataFile): boolean {
    return mayHold(this.#predicate, (test) => test.op === 'any' || mayPass(test, rangeOfColumn(test, file)));
  }

  /** Undefined where a partition's source column is gone: nothing is known then. */
  #columnsOf(specId: number): readonly PartitionColumn[] | undefined {
    if (!this.#columns.has(specId)) this.#columns.set(specId, this.#findColumns(specId));
    return this.#columns.get(specId);
  }

  #findColumns(specId: number): readonly PartitionColumn[] | undefined {
    try {
      return partitionColumns(specById(this.#metadata, specId), this.#schema);
    } catch {
      return undefined;
    }
  }
}

function passesPartition(test: Test, columns: readonly PartitionColumn[], ranges: readonly ValueRange[]): boolean {
  return columns.every((column, index) => {
    const range = ranges[index];
    return range === undefined || mayPass(projectTest(test, column), range);
  });
}

const UNKNOWN: ValueRange = { mayBeNull: true, mayHaveValue: true, mayBeNaN: true };

function rangeOfSummary({ type }: PartitionColumn, summary: FieldSummary | undefined): ValueRange {
  if (!summary) return UNKNOWN;
  const { lowerBound, upperBound, containsNull, containsNan } = summary;
  return {
    lower: lowerBound && decodeValue(type, lowerBound),
    upper: upperBound && decodeValue(type, upperBound),
    mayBeNull: containsNull,
    mayHaveValue: lowerBound !== undefined || containsNan !== false,
    mayBeNaN: isFloat(type) && containsNan !== false,
  };
}

function rangeOfValue({ field, type }: PartitionColumn, partition: Partition): ValueRange {
  const value = partition.get(field['field-id']);
  if (value === undefined) return UNKNOWN;
  if (value === null) return { mayBeNull: true, mayHaveValue: false, mayBeNaN: false };
  if (Number.isNaN(value)) return { mayBeNull: false, mayHaveValue: true, mayBeNaN: true };
  // A source that was widened since: the manifest may hold an int where the type is long by now.
  const wide = parsePrimitive(type).kind === 'long' && typeof value === 'number' ? BigInt(value) : value;
  return { lower: wide, upper: wide, mayBeNull: false, mayHaveValue: true, mayBeNaN: false };
}

function rangeOfColumn({ id, type }: Exclude<Test, { op: 'any' }>, file: DataFile): ValueRange {
  const [count, nulls] = [file.valueCounts?.get(id), file.nullValueCounts?.get(id)];
  const [lower, upper] = [file.lowerBounds?.get(id), file.upperBounds?.get(id)];
  // Metrics that are kept for some columns and not for this one say nothing; a column added later has none at all.
  return {
    lower: lower && decodeValue(type, lower),
    upper: upper && decodeValue(type, upper),
    mayBeNull: nulls !== 0n,
    mayHaveValue: count === undefined || nulls === undefined || nulls < count,
    mayBeNaN: isFloat(type) && file.nanValueCounts?.get(id) !== 0n,
  };
}

function isFloat(type: PartitionColumn['type']): boolean {
  return type === 'float' || type === 'double';
}
