import { type Static, Type } from '@sinclair/typebox';

const TlsSchema = Type.Object(
  {
    mode: Type.Union(
      [Type.Literal('verify-full'), Type.Literal('verify-ca'), Type.Literal('require'), Type.Literal('disable')],
      {
        title: 'TLS mode',
        description:
          'verify-full checks certificate and host name, verify-ca only the certificate, require encrypts without checking who answers, disable sends everything in the clear.',
        default: 'verify-full',
      },
    ),
    caFile: Type.Optional(
      Type.String({
        title: 'CA file',
        description: "A PEM file with the certificates to trust instead of the system's.",
      }),
    ),
  },
  { title: 'TLS', description: 'How the connection is encrypted and the server is verified.', default: {} },
);

/** Options of the PostgreSQL source; those that all databases share are added by @fjord/replication. */
export const ConfigSchema = Type.Object({
  host: Type.String({
    title: 'Host',
    description: 'Name or address of the server, or the folder of its Unix socket.',
    minLength: 1,
  }),
  port: Type.Integer({
    title: 'Port',
    description: 'TCP port of the server.',
    default: 5432,
    minimum: 1,
    maximum: 65535,
  }),
  database: Type.String({ title: 'Database', description: 'The database whose tables are read.', minLength: 1 }),
  user: Type.String({
    title: 'User',
    description: 'The role to log in as; it needs USAGE on the schemas and SELECT on the tables, nothing more.',
    minLength: 1,
  }),
  password: Type.Optional(
    Type.String({
      title: 'Password',
      description: 'Password of the user; best given as ${env:NAME} or ${file:path}.',
      format: 'password',
      writeOnly: true,
      secret: true,
    }),
  ),
  tls: TlsSchema,
  schemas: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      title: 'Schemas',
      description: 'The schemas to look for tables in; without it all that the user may see.',
      minItems: 1,
    }),
  ),
  unrepresentable: Type.Union([Type.Literal('null'), Type.Literal('clamp'), Type.Literal('fail')], {
    title: 'Unrepresentable values',
    description:
      'What becomes of NaN, infinity and times out of range: null (counted), clamp (the nearest value there is, null where there is none), or fail (the stream stops).',
    default: 'null',
  }),
  connectTimeoutSeconds: Type.Number({
    title: 'Connect timeout',
    description: 'How many seconds the server may take to accept a connection.',
    default: 15,
    exclusiveMinimum: 0,
  }),
  applicationName: Type.String({
    title: 'Application name',
    description: 'The name of the connections in pg_stat_activity.',
    default: 'fjord',
  }),
});

/** The options of the PostgreSQL source, defaults filled in. */
export type Config = Static<typeof ConfigSchema>;

export type UnrepresentablePolicy = Config['unrepresentable'];
