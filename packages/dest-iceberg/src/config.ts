import { type Static, Type } from '@sinclair/typebox';

/** Options of the Iceberg destination. */
export const ConfigSchema = Type.Object({
  warehouse: Type.String({
    title: 'Warehouse',
    description: 'Where tables are kept: a folder (absolute, or relative to where fjord runs) or s3://bucket/prefix.',
    minLength: 1,
  }),
  catalog: Type.Optional(
    Type.Object({
      type: Type.Literal('sqlite', {
        title: 'Catalog type',
        description: "sqlite: an embedded catalog file in the layout of Iceberg's JDBC catalog.",
        default: 'sqlite',
      }),
      file: Type.Optional(
        Type.String({
          title: 'Catalog file',
          description: 'The SQLite file; by default catalog.db in the warehouse folder (required for s3).',
        }),
      ),
      name: Type.String({
        title: 'Catalog name',
        description: 'The catalog_name column of the JDBC layout; foreign clients must use the same.',
        default: 'fjord',
      }),
    }),
  ),
  s3: Type.Optional(
    Type.Object({
      region: Type.Optional(
        Type.String({ title: 'Region', description: 'Region of the bucket, us-east-1 by default.' }),
      ),
      endpoint: Type.Optional(
        Type.String({ title: 'Endpoint', description: 'URL of an S3-compatible server; AWS by default.' }),
      ),
      pathStyle: Type.Boolean({
        title: 'Path style',
        description: 'Whether the bucket goes into the path rather than the host name; most compatibles need it.',
        default: false,
      }),
      accessKeyId: Type.Optional(
        Type.String({ title: 'Access key id', description: "By default AWS's own credential chain is used." }),
      ),
      secretAccessKey: Type.Optional(
        Type.String({ title: 'Secret access key', description: 'Goes with the access key id.', secret: true }),
      ),
    }),
  ),
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
  workers: Type.Optional(
    Type.Integer({
      title: 'Workers',
      description: 'Threads that encode Parquet; as many as there are cores by default.',
      minimum: 1,
      maximum: 64,
    }),
  ),
  parquetEncoder: Type.Union([Type.Literal('fjord'), Type.Literal('parquet-wasm')], {
    title: 'Parquet encoder',
    description:
      'fjord: the encoder of @fjord/parquet. parquet-wasm: the Rust one; twice the CPU, three times the memory.',
    default: 'fjord',
  }),
});
export type Config = Static<typeof ConfigSchema>;
