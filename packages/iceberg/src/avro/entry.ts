import type { DataFile, FileContent, Partition } from '../data-file.ts';
import { parsePrimitive } from '../data-type.ts';
import type { EntryStatus, ManifestEntry } from '../manifest.ts';
import type { ManifestFile } from '../manifest-list.ts';
import type { PartitionColumn } from '../partition-spec.ts';
import { type Value, decodeBigEndian, encodeFixedBigEndian, formatUuid, parseUuid } from '../single-value.ts';
import { avroName, decimalBytes } from './iceberg-schemas.ts';
import { type AvroRow, recordOf } from './record.ts';
import type { AvroValue } from './schema.ts';

// The position in each list is the code that the spec gives it.
const STATUSES: readonly EntryStatus[] = ['existing', 'added', 'deleted'];
const CONTENTS: readonly FileContent[] = ['data', 'position-deletes', 'equality-deletes'];

/** The Avro record of a manifest entry, by the field names of `manifestEntrySchema`. */
export function encodeEntry(entry: ManifestEntry, columns: readonly PartitionColumn[]): Record<string, unknown> {
  return {
    status: STATUSES.indexOf(entry.status),
    snapshot_id: entry.snapshotId,
    sequence_number: entry.sequenceNumber,
    file_sequence_number: entry.fileSequenceNumber,
    data_file: encodeDataFile(entry.file, columns),
  };
}

/** Reads a manifest entry, whatever wrote it. Throws TypeError for a record that is none. */
export function decodeEntry(
  record: AvroValue,
  columns: readonly PartitionColumn[],
  manifest: ManifestFile,
): ManifestEntry {
  const row = recordOf(record);
  const status = STATUSES[row.int(0)];
  if (status === undefined) throw new TypeError('An entry has an unknown status.');
  // Only added entries may leave their sequence numbers to be inherited; manifests of version 1 have none, which means 0.
  const inherited = status === 'added' ? manifest.sequenceNumber : 0n;
  const sequenceNumber = row.optionalLong(3) ?? inherited;
  return {
    status,
    snapshotId: row.optionalLong(1) ?? manifest.addedSnapshotId,
    sequenceNumber,
    fileSequenceNumber: row.optionalLong(4) ?? (status === 'added' ? inherited : undefined),
    file: decodeDataFile(row.row(2), columns),
  };
}

function encodeDataFile(file: DataFile, columns: readonly PartitionColumn[]): Record<string, unknown> {
  return {
    content: CONTENTS.indexOf(file.content ?? 'data'),
    file_path: file.filePath,
    file_format: file.fileFormat,
    partition: encodePartition(file.partition, columns),
    record_count: file.recordCount,
    file_size_in_bytes: file.fileSizeInBytes,
    column_sizes: pairs(file.columnSizes),
    value_counts: pairs(file.valueCounts),
    null_value_counts: pairs(file.nullValueCounts),
    nan_value_counts: pairs(file.nanValueCounts),
    lower_bounds: pairs(file.lowerBounds),
    upper_bounds: pairs(file.upperBounds),
    key_metadata: file.keyMetadata,
    split_offsets: file.splitOffsets,
    equality_ids: file.equalityIds,
    sort_order_id: file.sortOrderId,
    referenced_data_file: file.referencedDataFile,
    first_row_id: file.firstRowId,
    content_offset: file.contentOffset,
    content_size_in_bytes: file.contentSizeInBytes,
  };
}

function decodeDataFile(row: AvroRow, columns: readonly PartitionColumn[]): DataFile {
  const content = CONTENTS[row.optionalInt(134) ?? 0];
  if (content === undefined) throw new TypeError('A file has an unknown content.');
  return {
    content,
    filePath: row.string(100),
    fileFormat: decodeFormat(row.string(101)),
    recordCount: row.long(103),
    fileSizeInBytes: row.long(104),
    ...definedOnly({
      partition: columns.length > 0 ? decodePartition(row.value(102), columns) : undefined,
      columnSizes: longMap(row.optionalArray(108), 117, 118),
      valueCounts: longMap(row.optionalArray(109), 119, 120),
      nullValueCounts: longMap(row.optionalArray(110), 121, 122),
      nanValueCounts: longMap(row.optionalArray(137), 138, 139),
      lowerBounds: bytesMap(row.optionalArray(125), 126, 127),
      upperBounds: bytesMap(row.optionalArray(128), 129, 130),
      keyMetadata: row.optionalBytes(131),
      splitOffsets: row.optionalArray(132)?.filter((item) => typeof item === 'bigint'),
      equalityIds: row.optionalArray(135)?.filter((item) => typeof item === 'number'),
      sortOrderId: row.optionalInt(140),
      referencedDataFile: row.optionalString(143),
      firstRowId: row.optionalLong(142),
      contentOffset: row.optionalLong(144),
      contentSizeInBytes: row.optionalLong(145),
    }),
  };
}

/** Drops the keys whose value is undefined, so that absent metrics are absent keys. */
function definedOnly<T extends Record<string, unknown>>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const defined: Record<string, unknown> = {};
  for (const key of Object.keys(record)) if (record[key] !== undefined) defined[key] = record[key];
  return defined as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function decodeFormat(format: string): DataFile['fileFormat'] {
  const upper = format.toUpperCase();
  if (upper === 'PARQUET' || upper === 'ORC' || upper === 'AVRO' || upper === 'PUFFIN') return upper;
  throw new TypeError(`A file has the unknown format "${format}".`);
}

function pairs<T>(map: ReadonlyMap<number, T> | undefined): { key: number; value: T }[] | undefined {
  return map && Array.from(map, ([key, value]) => ({ key, value }));
}

function longMap(items: AvroValue[] | undefined, keyId: number, valueId: number): Map<number, bigint> | undefined {
  return intMap(items, { keyId, valueId }, (value) => {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number') return BigInt(value);
    throw new TypeError(`Field ${valueId} is missing or has another type.`);
  });
}

function bytesMap(items: AvroValue[] | undefined, keyId: number, valueId: number): Map<number, Uint8Array> | undefined {
  return intMap(items, { keyId, valueId }, (value) => {
    if (value === null || value === undefined) return new Uint8Array();
    if (value instanceof Uint8Array) return value;
    throw new TypeError(`Field ${valueId} is missing or has another type.`);
  });
}

/** A file has six such maps with an item for each column: made without a wrapper around each item. */
function intMap<T>(
  items: AvroValue[] | undefined,
  { keyId, valueId }: { keyId: number; valueId: number },
  convert: (value: AvroValue | undefined) => T,
): Map<number, T> | undefined {
  if (!items) return undefined;
  const map = new Map<number, T>();
  // The decoder gives maps as keys and values in turn; a writer that does not mark its maps gives records.
  const isFlat = typeof items[0] === 'number';
  for (let index = 0; index < items.length; index += isFlat ? 2 : 1) {
    const [key, value] = isFlat ? [items[index], items[index + 1]] : pairOf(items[index], keyId, valueId);
    if (typeof key !== 'number') throw new TypeError(`Field ${keyId} is missing or has another type.`);
    map.set(key, convert(value));
  }
  return map;
}

function pairOf(item: AvroValue | undefined, keyId: number, valueId: number): (AvroValue | undefined)[] {
  const row = recordOf(item);
  return [row.value(keyId), row.value(valueId)];
}

function encodePartition(
  partition: Partition | undefined,
  columns: readonly PartitionColumn[],
): Record<string, unknown> {
  return Object.fromEntries(
    columns.map((column) => [
      avroName(column.field.name),
      encodePartitionValue(column, partition?.get(column.field['field-id']) ?? null),
    ]),
  );
}

function encodePartitionValue({ type }: PartitionColumn, value: Value | null): Value | null {
  const primitive = parsePrimitive(type);
  if (primitive.kind === 'uuid' && typeof value === 'string') return parseUuid(value);
  if (primitive.kind === 'decimal' && typeof value === 'bigint')
    return encodeFixedBigEndian(value, decimalBytes(primitive.precision));
  return value;
}

function decodePartition(value: AvroValue | undefined, columns: readonly PartitionColumn[]): Partition {
  const row = recordOf(value);
  return new Map(
    columns.map((column) => [
      column.field['field-id'],
      decodePartitionValue(column, row.value(column.field['field-id'])),
    ]),
  );
}

function decodePartitionValue({ type }: PartitionColumn, value: AvroValue | undefined): Value | null {
  if (value === null || value === undefined) return null;
  const { kind } = parsePrimitive(type);
  if (value instanceof Uint8Array) {
    if (kind === 'uuid') return formatUuid(value);
    return kind === 'decimal' ? decodeBigEndian(value) : value;
  }
  if (typeof value === 'object') throw new TypeError('A partition value is not a single value.');
  // A promoted source column: the manifest may hold an int where the schema now says long.
  return typeof value === 'number' && (kind === 'long' || kind === 'time') ? BigInt(value) : value;
}
