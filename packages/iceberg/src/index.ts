export {
  type Catalog,
  type Namespace,
  type Table,
  type TableChanges,
  type TableCommit,
  type TableCreation,
  type TableIdentifier,
  formatIdentifier,
} from './catalog.ts';
export { type CatalogOptions, openCatalog } from './catalogs/open-catalog.ts';
export type { GlueCatalogOptions } from './catalogs/glue.ts';
export type { HadoopCatalogOptions } from './catalogs/hadoop.ts';
export type { HiveCatalogOptions } from './catalogs/hive.ts';
export type { RestCatalogOptions, SigV4Options } from './catalogs/rest.ts';
export { type SqlCatalogOptions, openSqlCatalog } from './catalogs/sql.ts';
export {
  type BuildChanges,
  type BuiltChanges,
  type CommitOptions,
  type TableBuild,
  commitTable,
  commitTables,
} from './commit.ts';
export { copyFile } from './copy-file.ts';
export { type DataFile, type FileContent, type Partition, isDataFile } from './data-file.ts';
export {
  type ListType,
  type MapType,
  type NestedField,
  type Primitive,
  type PrimitiveType,
  type StructType,
  type Type,
  isPrimitive,
  parsePrimitive,
} from './data-type.ts';
export { IcebergError, type IcebergErrorCode, isIcebergError } from './errors.ts';
export { parseExactJson, stringifyExactJson } from './exact-json.ts';
export {
  type FileIO,
  type FileIOProperties,
  type FileWriter,
  type ListedFile,
  openFileIO,
  shareFileIOs,
} from './file-io.ts';
export { dataFolder, encodeName, localLocation, metadataFolder } from './location.ts';
export {
  type EntryStatus,
  type Manifest,
  type ManifestEntry,
  type ManifestReading,
  NO_METRICS,
  readManifest,
} from './manifest.ts';
export { type ManifestFile, readManifestList } from './manifest-list.ts';
export {
  type MappedField,
  NAME_MAPPING_PROPERTY,
  createNameMapping,
  extendNameMapping,
  findMappedId,
  parseNameMapping,
} from './name-mapping.ts';
export { hashBytes, hashLong } from './murmur3.ts';
export { importOptional } from './optional-package.ts';
export {
  type PartitionColumn,
  type PartitionField,
  type PartitionSpec,
  type SpecHistory,
  UNPARTITIONED,
  createPartitionSpec,
  partitionColumns,
} from './partition-spec.ts';
export { type PartitionTerm, parsePartitionTerm } from './partition-term.ts';
export type { Comparison, Predicate } from './predicate.ts';
export { partitionKey } from './delete-index.ts';
export { readDeletionVector } from './row-deletes/deletion-vector.ts';
export { POSITION_DELETE_FIELDS } from './row-deletes/position-delete-file.ts';
export { PositionSet } from './row-deletes/position-set.ts';
export { type RowDeletes, type WrittenDeletes, writeRowDeletes } from './row-deletes/write-row-deletes.ts';
export { type ScanFile, type ScanOptions, listDeleteFiles, planFiles } from './scan.ts';
export {
  type Column,
  type ColumnType,
  type Schema,
  type SchemaOptions,
  assignTypeIds,
  checkSchema,
  createSchema,
  fieldByName,
  fieldsById,
  highestFieldId,
} from './schema.ts';
export { type EvolutionOptions, evolveSchema, renameColumns, fileFields } from './schema-evolution.ts';
export { isPromotable } from './type-promotion.ts';
export { type Value, compareBounds, compareValues, decodeValue, encodeValue, formatUuid } from './single-value.ts';
export { truncateLowerBound, truncateUpperBound } from './bounds.ts';
export { MAIN, type Operation, type Snapshot, type SnapshotRef, type Summary } from './snapshot.ts';
export type { Removal } from './snapshot-draft.ts';
export {
  type SnapshotChanges,
  type StagedChanges,
  type SwapChanges,
  stageBranchRemoval,
  stageSnapshot,
  stageSwap,
} from './snapshot-producer.ts';
export { findOrphans, type OrphanOptions } from './orphan-files.ts';
export {
  type ExpiredSnapshots,
  type ExpiryOptions,
  findUnreachable,
  planExpiry,
  stageExpiry,
  type UnreachableFiles,
} from './snapshot-expiry.ts';
export { type GatheredDeletes, type StagedDeleteRewrite, stageDeleteRewrite } from './stage-delete-rewrite.ts';
export {
  type Rewrite,
  type RewriteOptions,
  type StagedRewrites,
  stageManifestRewrite,
  stageRewrites,
} from './stage-rewrite.ts';
export { type SortField, type SortOrder, UNSORTED, createSortOrder } from './sort-order.ts';
export {
  type TableDefinition,
  type TableMetadata,
  currentSchema,
  defaultSpec,
  newTableMetadata,
  parseTableMetadata,
  serializeTableMetadata,
  snapshotById,
  snapshotOfRef,
} from './table-metadata.ts';
export { type Transform, bindTransform, bucketOf, parseTransform, transformResult } from './transform.ts';
export { type TableRequirement, checkRequirements } from './table-requirement.ts';
export { type TableUpdate, applyUpdates } from './table-update.ts';
