import { Type } from '@fjord/core/schema';

/** What an option's schema says of a secret. */
export const secret = { format: 'password', writeOnly: true, secret: true };

/** The schema of an option that is one of these words. */
export const oneOf = <Value extends string>(values: readonly Value[], options: Record<string, unknown>) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    options,
  );

/** The options of TLS that all servers have. */
export const tlsProperties = {
  mode: oneOf(['verify-full', 'verify-ca', 'require', 'disable'] as const, {
    title: 'TLS mode',
    description:
      'verify-full checks certificate and host name, verify-ca only the certificate, require encrypts without checking who answers, disable sends everything in the clear.',
    default: 'verify-full',
  }),
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
};

/** What the schema of the option `tls` says of itself. */
export const tlsDescription = {
  title: 'TLS',
  description: 'How the connection is encrypted and the server is verified.',
  default: {},
};

/** The options that say what is logged in with. */
export const passwordProperties = {
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
};

/** The options that bound how long is waited; `who` is what accepts a connection. */
export const waitProperties = (who: string) => ({
  connectTimeoutSeconds: Type.Number({
    title: 'Connect timeout',
    description: `How many seconds ${who} may take to accept a connection.`,
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
