import { civilFromDays } from '@fjord/core/arrow';
import {
  encodeName,
  type Partition,
  type PartitionColumn,
  partitionColumns,
  type PartitionSpec,
  type Schema,
  type Value,
} from '@fjord/iceberg';

/** The folders of a partition, `created_at_day=2024-01-31/id_bucket_16=3`: for people only, no reader takes values from a path. */
export function partitionPath(partition: Partition, spec: PartitionSpec, schema: Schema): string {
  return partitionColumns(spec, schema)
    .map((column) => {
      const { field } = column;
      const value = partition.get(field['field-id']) ?? null;
      return `${encodeName(field.name)}=${encodeName(formatValue(value, column))}`;
    })
    .join('/');
}

function formatValue(value: Value | null, { field, type }: PartitionColumn): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value !== 'number') return String(value);
  const { transform } = field;
  if (transform === 'year') return String(1970 + value);
  if (transform === 'month') return `${1970 + Math.floor(value / 12)}-${twoDigits((((value % 12) + 12) % 12) + 1)}`;
  if (transform === 'hour') return `${formatDay(Math.floor(value / 24))}-${twoDigits(((value % 24) + 24) % 24)}`;
  return type === 'date' ? formatDay(value) : String(value);
}

function formatDay(day: number): string {
  const [year, month, dayOfMonth] = civilFromDays(day);
  return `${year}-${twoDigits(month)}-${twoDigits(dayOfMonth)}`;
}

const twoDigits = (value: number) => String(value).padStart(2, '0');
