import { type Static, Type } from '@fjord/core/schema';

const text = (title: string, description: string) => Type.Optional(Type.String({ title, description, minLength: 1 }));
const secret = (title: string, description: string) =>
  Type.Optional(Type.String({ title, description, minLength: 1, secret: true }));

/** The kinds of catalog, by the name that the config gives them. */
export const CATALOG_TYPES = ['sqlite', 'postgres', 'mysql', 'rest', 'glue', 'hive', 'hadoop'] as const;

/** Options of the catalog. Which belong to which type is checked when it is opened. */
export const CatalogSchema = Type.Object({
  type: Type.Union(
    CATALOG_TYPES.map((type) => Type.Literal(type)),
    {
      title: 'Catalog type',
      description:
        "sqlite: an embedded file; postgres, mysql: the same layout, Iceberg's JDBC catalog, in a database; rest; glue; hive: a metastore; hadoop: folders only.",
      default: 'sqlite',
    },
  ),
  file: text('Catalog file', 'sqlite: the file; by default catalog.db in a local warehouse.'),
  name: Type.String({
    title: 'Catalog name',
    description:
      'sqlite, postgres, mysql: the catalog_name column of the JDBC layout; foreign clients must use the same.',
    default: 'fjord',
  }),
  uri: Type.Optional(
    Type.String({
      title: 'Catalog URI',
      description:
        'postgres, mysql: postgresql:// or mysql://user:password@host/database; rest: https://host/path without /v1; hive: thrift://host:9083.',
      format: 'uri',
      minLength: 1,
      secret: true,
    }),
  ),
  token: secret('Token', 'rest: a bearer token.'),
  credential: secret('Client credentials', 'rest: client_id:client_secret for OAuth2; tokens are fetched and renewed.'),
  oauth2ServerUri: text('Token endpoint', 'rest: where tokens are fetched; <uri>/v1/oauth/tokens by default.'),
  scope: text('Scope', 'rest: scope of the tokens; catalog by default.'),
  audience: text('Audience', 'rest: audience of the tokens, where the token server asks for one.'),
  signingName: text(
    'Signing name',
    'rest: signs requests with AWS Signature Version 4 for this service (glue, s3tables), with region and keys of s3.',
  ),
  accessDelegation: Type.Union([Type.Literal('vended-credentials'), Type.Literal('none')], {
    title: 'Access delegation',
    description: 'rest: whether the catalog may lend keys for the storage; they are renewed before they expire.',
    default: 'vended-credentials',
  }),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { title: 'Headers', description: 'rest: sent with each request.' }),
  ),
  region: text('Region', "glue: by default that of s3, or AWS's own configuration."),
  endpoint: text('Endpoint', "glue: URL of another server than AWS's."),
  catalogId: text('Catalog id', "glue: the AWS account whose catalog it is; the keys' own by default."),
  locks: Type.Boolean({
    title: 'Locks',
    description:
      "hive: whether a commit takes the metastore's lock, as Iceberg's other writers do by default; false needs Hive 4 and writers that all do so.",
    default: true,
  }),
});

/** A checked catalog config. */
export type CatalogConfig = Static<typeof CatalogSchema>;
