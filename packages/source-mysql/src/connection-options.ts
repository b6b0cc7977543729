import { type Static, Type } from '@fjord/core/schema';

const secret = { format: 'password', writeOnly: true, secret: true };

const TlsSchema = Type.Object(
  {
    mode: Type.Union(
      (['verify-full', 'verify-ca', 'require', 'disable'] as const).map((mode) => Type.Literal(mode)),
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
    certFile: Type.Optional(
      Type.String({
        title: 'Client certificate',
        description: 'A PEM file with the certificate to log in with, and its chain; needs `keyFile`.',
      }),
    ),
    keyFile: Type.Optional(
      Type.String({ title: 'Client key', description: 'The PEM file of the private key of `certFile`.' }),
    ),
    keyPassphrase: Type.Optional(
      Type.String({ title: 'Key passphrase', description: 'What `keyFile` is encrypted with.', ...secret }),
    ),
  },
  { title: 'TLS', description: 'How the connection is encrypted and the server is verified.', default: {} },
);

/** The options that say which server is read, and how it is reached. */
export const ConnectionOptions = Type.Object({
  uri: Type.Optional(
    Type.String({
      title: 'URI',
      description: 'A mysql:// address, instead of host, port and user; read anew for each connection.',
      ...secret,
      format: 'uri',
      refreshed: true,
    }),
  ),
  host: Type.Optional(
    Type.String({
      title: 'Host',
      description: 'Name or address of the server, or the path of its Unix socket.',
      minLength: 1,
    }),
  ),
  port: Type.Integer({
    title: 'Port',
    description: 'TCP port of the server.',
    default: 3306,
    minimum: 1,
    maximum: 65_535,
  }),
  user: Type.Optional(
    Type.String({
      title: 'User',
      description: 'The account to log in as; it needs SELECT on the tables, nothing more.',
      minLength: 1,
    }),
  ),
  password: Type.Optional(
    Type.String({
      title: 'Password',
      description:
        'Password of the user, best given as ${env:NAME} or ${file:path}; a file is read anew for each connection.',
      ...secret,
      refreshed: true,
    }),
  ),
  passwordCommand: Type.Optional(
    Type.Array(Type.String(), {
      title: 'Password command',
      description:
        'A program and its arguments, run without a shell, whose output is the password: for tokens that expire.',
      minItems: 1,
    }),
  ),
  passwordMinutes: Type.Optional(
    Type.Number({
      title: 'Password minutes',
      description:
        'How many minutes an output of the password command is used again (10 unless given); one that is refused is used no more.',
      minimum: 0,
    }),
  ),
  tls: TlsSchema,
  connectTimeoutSeconds: Type.Number({
    title: 'Connect timeout',
    description: 'How many seconds the server may take to accept a connection.',
    default: 15,
    exclusiveMinimum: 0,
  }),
  keepAliveSeconds: Type.Optional(
    Type.Number({
      title: 'Keep-alive',
      description: 'After how many seconds of silence a connection is probed (30 unless given).',
      exclusiveMinimum: 0,
    }),
  ),
});

/** The options of a connection, defaults filled in. */
export type ConnectionOptions = Static<typeof ConnectionOptions>;
