import { type Static, Type } from '@fjord/core/schema';
import { CatalogSchema } from './catalog-config.ts';
import { MaintenanceSchema } from './maintenance/maintenance-config.ts';
import { AzureSchema, GcsSchema, S3Schema } from './storage-config.ts';

/** Options of the Iceberg destination. */
export const ConfigSchema = Type.Object({
  warehouse: Type.Optional(
    Type.String({
      title: 'Warehouse',
      description:
        'Where tables are kept: a folder (absolute, or relative to where fjord runs), s3://bucket/prefix, gs://bucket/prefix or abfss://container@account.dfs.core.windows.net/prefix. rest: which of the warehouses, by the name that the server gives it, if it has several.',
      minLength: 1,
    }),
  ),
  format: Type.Union([Type.Literal('iceberg'), Type.Literal('parquet')], {
    title: 'Format',
    description:
      'iceberg: tables. parquet: plain Parquet files in folders warehouse/namespace/name, without a catalog, for streams that are appended or overwritten.',
    default: 'iceberg',
  }),
  catalog: Type.Optional(CatalogSchema),
  s3: Type.Optional(S3Schema),
  gcs: Type.Optional(GcsSchema),
  azure: Type.Optional(AzureSchema),
  targetFileMB: Type.Number({
    title: 'Target file size',
    description: 'About how many megabytes a data file grows to before the next one is begun.',
    default: 256,
    exclusiveMinimum: 0,
  }),
  compression: Type.Union([Type.Literal('zstd'), Type.Literal('snappy'), Type.Literal('gzip'), Type.Literal('none')], {
    title: 'Compression',
    description: 'Codec of the Parquet files of new tables.',
    default: 'zstd',
  }),
  compressionLevel: Type.Optional(
    Type.Integer({
      title: 'Compression level',
      description: 'Level of zstd (1 to 22, 1 by default) or gzip (1 to 9); the higher, the smaller and slower.',
      minimum: 1,
      maximum: 22,
    }),
  ),
  tableProperties: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      title: 'Table properties',
      description: "Iceberg properties of new tables; a stream's own win over these.",
    }),
  ),
  commitIntervalSeconds: Type.Number({
    title: 'Commit interval',
    description: 'How long finished rows may wait for a commit; a finished stream is committed at once.',
    default: 10,
    minimum: 0,
  }),
  queryCopyMB: Type.Number({
    title: 'Copied for a query',
    description: 'How many megabytes of files a query may copy to this machine where the warehouse is not on it.',
    default: 4096,
    minimum: 0,
  }),
  workers: Type.Optional(
    Type.Integer({
      title: 'Workers',
      description: 'Threads that encode Parquet; as many as there are cores by default.',
      minimum: 1,
      maximum: 64,
    }),
  ),
  keyIndexMemoryMB: Type.Number({
    title: 'Memory for key indexes',
    description:
      'Megabytes in which keys of data files are held, by which rows to replace are found: 12 bytes a row for a key of one number, some 40 for a text.',
    default: 256,
    minimum: 0,
  }),
  keyIndexDiskMB: Type.Number({
    title: 'Disk for key indexes',
    description:
      'Megabytes in the temporary folder for the key indexes that do not fit into memory; what fits neither is read from the data files again.',
    default: 4096,
    minimum: 0,
  }),
  parquetEncoder: Type.Union([Type.Literal('fjord'), Type.Literal('parquet-wasm')], {
    title: 'Parquet encoder',
    description:
      'fjord: the encoder of @fjord/parquet. parquet-wasm: the Rust one; twice the CPU, three times the memory.',
    default: 'fjord',
  }),
  maintenance: MaintenanceSchema,
});
export type Config = Static<typeof ConfigSchema>;
