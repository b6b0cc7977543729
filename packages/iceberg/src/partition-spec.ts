import { type PrimitiveType, type StructType, isPrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';
import { fieldsById } from './schema.ts';

/** One field of a partition spec; the transform is kept as the spec writes it (`identity`, `bucket[16]`, `day`, …). */
export interface PartitionField {
  readonly 'source-id': number;
  readonly 'field-id': number;
  readonly name: string;
  readonly transform: string;
}

/** How a table's rows are divided into partitions (spec: Partitioning). */
export interface PartitionSpec {
  readonly 'spec-id': number;
  readonly fields: readonly PartitionField[];
}

/** The spec of a table without partitions. */
export const UNPARTITIONED: PartitionSpec = { 'spec-id': 0, fields: [] };

/** Partition field ids start at 1000; a table without any has this as its last. */
export const LAST_UNASSIGNED_PARTITION_ID = 999;

/** One column of a partition tuple: the field and the type of its values. */
export interface PartitionColumn {
  readonly field: PartitionField;
  readonly type: PrimitiveType;
}

/** The columns of the partition tuples that a spec makes from rows of a schema. */
export function partitionColumns(spec: PartitionSpec, schema: StructType): PartitionColumn[] {
  if (spec.fields.length === 0) return [];
  const sources = fieldsById(schema);
  return spec.fields.map((field) => {
    const source = sources.get(field['source-id'])?.type;
    if (source !== undefined && isPrimitive(source)) return { field, type: resultType(field.transform, source) };
    throw new IcebergError('invalid_metadata', `Partition field "${field.name}" has no primitive source column.`);
  });
}

function resultType(transform: string, source: PrimitiveType): PrimitiveType {
  if (transform.startsWith('bucket[')) return 'int';
  if (transform === 'year' || transform === 'month' || transform === 'hour') return 'int';
  // The reference implementations read the day transform as a date: the same number with a logical type.
  if (transform === 'day') return 'date';
  return source;
}
