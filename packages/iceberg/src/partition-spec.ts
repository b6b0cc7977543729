import { type PrimitiveType, type StructType, isPrimitive } from './data-type.ts';
import { IcebergError } from './errors.ts';
import { type PartitionTerm, parsePartitionTerm, resolveTerm } from './partition-term.ts';
import { fieldByName, fieldsById } from './schema.ts';
import { parseTransform, transformResult } from './transform.ts';

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
    const transform = parseTransform(field.transform);
    const source = sources.get(field['source-id'])?.type;
    // The source of a void field may have been dropped; its values are null whatever their type.
    if (transform.kind === 'void') return { field, type: source !== undefined && isPrimitive(source) ? source : 'int' };
    const type = source !== undefined && isPrimitive(source) ? transformResult(transform, source) : undefined;
    if (type !== undefined) return { field, type };
    throw new IcebergError('invalid_metadata', `Partition field "${field.name}" has no source column that suits it.`);
  });
}

/** What the ids of a new spec follow from: a table's metadata has these fields. */
export interface SpecHistory {
  readonly 'partition-specs': readonly PartitionSpec[];
  readonly 'last-partition-id': number;
}

const NO_HISTORY: SpecHistory = { 'partition-specs': [], 'last-partition-id': LAST_UNASSIGNED_PARTITION_ID };

/**
 * The spec that divides rows of `schema` by terms such as `day(created_at)` and `bucket(16, id)`. With the metadata of a table it is that
 * table's spec of these fields if it has one; else a new one, whose fields keep the ids they ever had (spec: Partition Evolution).
 * Throws `invalid_argument` for a term that does not suit the schema.
 */
export function createPartitionSpec(
  schema: StructType,
  terms: readonly string[],
  history: SpecHistory = NO_HISTORY,
): PartitionSpec {
  const specs = history['partition-specs'];
  const known = specs.flatMap((spec) => spec.fields);
  let lastId = history['last-partition-id'];
  const fields: PartitionField[] = [];
  for (const term of terms.map(parsePartitionTerm)) {
    const { id } = resolveTerm(schema, term);
    if (fields.some((field) => isSame(field, id, term)))
      throw new IcebergError('invalid_argument', `Partition ${term.transform} of "${term.column}" is named twice.`);
    const earlier = known.find((field) => isSame(field, id, term));
    const name = earlier?.name ?? freeName(schema, fields, term);
    const fieldId = earlier?.['field-id'] ?? ++lastId;
    fields.push({ 'source-id': id, 'field-id': fieldId, name, transform: term.transform });
  }
  const same = specs.find((spec) => hasSamePartitions(spec.fields, fields));
  return same ?? { 'spec-id': Math.max(-1, ...specs.map((spec) => spec['spec-id'])) + 1, fields };
}

/** True if two lists of partition fields divide rows alike, under the same ids and names. */
export function hasSamePartitions(a: readonly PartitionField[], b: readonly PartitionField[]): boolean {
  return (
    a.length === b.length &&
    a.every((field, index) => {
      const other = b[index];
      return (
        field['source-id'] === other?.['source-id'] &&
        field['field-id'] === other['field-id'] &&
        field.name === other.name &&
        field.transform === other.transform
      );
    })
  );
}

function isSame(field: PartitionField, sourceId: number, term: PartitionTerm): boolean {
  return field['source-id'] === sourceId && field.transform === term.transform;
}

/** The names that other writers give: `id_bucket_16`, `created_at_day`. A partition may share a column's name only if it is that column. */
function freeName(schema: StructType, fields: readonly PartitionField[], { column, transform }: PartitionTerm): string {
  const parsed = parseTransform(transform);
  const suffix =
    parsed.kind === 'bucket'
      ? `_bucket_${parsed.count}`
      : parsed.kind === 'truncate'
        ? `_trunc_${parsed.width}`
        : parsed.kind === 'void'
          ? '_null'
          : `_${parsed.kind}`;
  if (parsed.kind === 'identity') return column;
  const isTaken = (name: string) =>
    fieldByName(schema, name) !== undefined || fields.some((field) => field.name === name);
  let name = `${column}${suffix}`;
  while (isTaken(name)) name += '_';
  return name;
}
