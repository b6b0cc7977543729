import { type PrimitiveType, parsePrimitive } from '../data-type.ts';
import type { PartitionColumn } from '../partition-spec.ts';
import type { AvroField, AvroRecord, AvroSchema } from './schema.ts';

/** The Avro schema of a manifest's entries in a format version from 2 (spec: Manifests). */
export function manifestEntrySchema(partition: readonly PartitionColumn[], version: number): AvroRecord {
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      required(0, 'status', 'int'),
      optional(1, 'snapshot_id', 'long'),
      optional(3, 'sequence_number', 'long'),
      optional(4, 'file_sequence_number', 'long'),
      required(2, 'data_file', dataFileSchema(partition, version)),
    ],
  };
}

/** The Avro schema of a manifest list in a format version from 2 (spec: Manifest Lists). */
export function manifestFileSchema(version: number): AvroRecord {
  const lineage = version >= 3 ? [optional(520, 'first_row_id', 'long')] : [];
  return { type: 'record', name: 'manifest_file', fields: [...MANIFEST_FILE_FIELDS, ...lineage] };
}

const MANIFEST_FILE_FIELDS: readonly AvroField[] = [
  required(500, 'manifest_path', 'string'),
  required(501, 'manifest_length', 'long'),
  required(502, 'partition_spec_id', 'int'),
  required(517, 'content', 'int'),
  required(515, 'sequence_number', 'long'),
  required(516, 'min_sequence_number', 'long'),
  required(503, 'added_snapshot_id', 'long'),
  required(504, 'added_files_count', 'int'),
  required(505, 'existing_files_count', 'int'),
  required(506, 'deleted_files_count', 'int'),
  required(512, 'added_rows_count', 'long'),
  required(513, 'existing_rows_count', 'long'),
  required(514, 'deleted_rows_count', 'long'),
  optional(507, 'partitions', { type: 'array', 'element-id': 508, items: fieldSummarySchema() }),
  optional(519, 'key_metadata', 'bytes'),
];

/** Of a deletion vector, and of row lineage: fields that came with version 3. */
const VERSION_3_FIELDS: readonly AvroField[] = [
  optional(142, 'first_row_id', 'long'),
  optional(144, 'content_offset', 'long'),
  optional(145, 'content_size_in_bytes', 'long'),
];

function dataFileSchema(partition: readonly PartitionColumn[], version: number): AvroRecord {
  return {
    type: 'record',
    name: 'r2',
    fields: [
      required(134, 'content', 'int'),
      required(100, 'file_path', 'string'),
      required(101, 'file_format', 'string'),
      required(102, 'partition', { type: 'record', name: 'r102', fields: partition.map(partitionField) }),
      required(103, 'record_count', 'long'),
      required(104, 'file_size_in_bytes', 'long'),
      optional(108, 'column_sizes', intMap(117, 118, 'long')),
      optional(109, 'value_counts', intMap(119, 120, 'long')),
      optional(110, 'null_value_counts', intMap(121, 122, 'long')),
      optional(137, 'nan_value_counts', intMap(138, 139, 'long')),
      optional(125, 'lower_bounds', intMap(126, 127, 'bytes')),
      optional(128, 'upper_bounds', intMap(129, 130, 'bytes')),
      optional(131, 'key_metadata', 'bytes'),
      optional(132, 'split_offsets', { type: 'array', 'element-id': 133, items: 'long' }),
      optional(135, 'equality_ids', { type: 'array', 'element-id': 136, items: 'int' }),
      optional(140, 'sort_order_id', 'int'),
      optional(143, 'referenced_data_file', 'string'),
      ...(version >= 3 ? VERSION_3_FIELDS : []),
    ],
  };
}

function fieldSummarySchema(): AvroRecord {
  return {
    type: 'record',
    name: 'r508',
    fields: [
      required(509, 'contains_null', 'boolean'),
      optional(518, 'contains_nan', 'boolean'),
      optional(510, 'lower_bound', 'bytes'),
      optional(511, 'upper_bound', 'bytes'),
    ],
  };
}

function partitionField({ field, type }: PartitionColumn): AvroField {
  return optional(field['field-id'], avroName(field.name), partitionValueSchema(type, field['field-id']));
}

/** Spec: Appendix A, the Avro type of each Iceberg type. Named types must be unique, so they carry the field id. */
function partitionValueSchema(type: PrimitiveType, id: number): AvroSchema {
  const primitive = parsePrimitive(type);
  const { kind } = primitive;
  switch (kind) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return kind;
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'time':
      return { type: 'long', logicalType: 'time-micros' };
    case 'timestamp':
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': kind === 'timestamptz' };
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return { type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': kind === 'timestamptz_ns' };
    case 'uuid':
      return { type: 'fixed', name: `uuid_${id}`, size: 16, logicalType: 'uuid' };
    case 'fixed':
      return { type: 'fixed', name: `fixed_${id}`, size: primitive.length };
    case 'decimal': {
      const { precision, scale } = primitive;
      return {
        type: 'fixed',
        name: `decimal_${id}`,
        size: decimalBytes(precision),
        logicalType: 'decimal',
        precision,
        scale,
      };
    }
    case 'binary':
      return 'bytes';
    case 'unknown':
    case 'variant':
      throw new TypeError(`Type ${type} cannot be a partition value.`);
    default:
      return primitive satisfies never;
  }
}

/** The fewest bytes of two's complement that hold any decimal of this precision. */
export function decimalBytes(precision: number): number {
  const largest = 10n ** BigInt(precision) - 1n;
  let bytes = 1;
  while (1n << BigInt(8 * bytes - 1) <= largest) bytes++;
  return bytes;
}

/** Avro names hold letters, digits and `_` only; others become `_x` and their hexadecimal code (spec: Appendix A). */
export function avroName(name: string): string {
  const safe = Array.from(name)
    .map((character) => (/[A-Za-z0-9_]/.test(character) ? character : `_x${codeOf(character)}`))
    .join('');
  return /^\d/.test(safe) ? `_${safe}` : safe;
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
}

function intMap(keyId: number, valueId: number, value: AvroSchema): AvroSchema {
  const fields = [required(keyId, 'key', 'int'), required(valueId, 'value', value)];
  return { type: 'array', logicalType: 'map', items: { type: 'record', name: `k${keyId}_v${valueId}`, fields } };
}

function required(id: number, name: string, type: AvroSchema): AvroField {
  return { name, type, 'field-id': id };
}

function optional(id: number, name: string, type: AvroSchema): AvroField {
  return { name, type: ['null', type], default: null, 'field-id': id };
}
