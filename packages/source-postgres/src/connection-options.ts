import { type Static, Type } from '@fjord/core/schema';
import {
  oneOf,
  passwordProperties,
  secret,
  tlsDescription,
  tlsProperties,
  waitProperties,
} from '@fjord/replication/connection';

const TlsSchema = Type.Object(
  {
    ...tlsProperties,
    channelBinding: Type.Optional(
      oneOf(['prefer', 'require', 'disable'] as const, {
        title: 'Channel binding',
        description:
          'Whether SCRAM ties the password to the TLS connection: prefer where the server offers it (the default), require it, or disable it (for servers whose certificate the driver cannot bind to).',
      }),
    ),
  },
  tlsDescription,
);

const SshTunnelSchema = Type.Object(
  {
    host: Type.String({ title: 'SSH host', description: 'Name or address of the SSH server.', minLength: 1 }),
    port: Type.Integer({
      title: 'SSH port',
      description: 'TCP port of the SSH server.',
      default: 22,
      minimum: 1,
      maximum: 65_535,
    }),
    user: Type.String({ title: 'SSH user', description: 'The account to log in as.', minLength: 1 }),
    privateKeyFile: Type.Optional(
      Type.String({ title: 'Private key', description: 'A file with the private key to log in with.' }),
    ),
    passphrase: Type.Optional(
      Type.String({ title: 'Passphrase', description: 'What the private key is encrypted with.', ...secret }),
    ),
    password: Type.Optional(Type.String({ title: 'SSH password', description: 'Password of the account.', ...secret })),
    agent: Type.Optional(
      Type.String({
        title: 'SSH agent',
        description: 'Socket of the agent that holds the key, usually `${env:SSH_AUTH_SOCK}`.',
      }),
    ),
    hostKey: Type.Optional(
      Type.String({
        title: 'Host key',
        description:
          "Fingerprint of the SSH server's key (`SHA256:…`, as `ssh-keygen -lf` prints it), instead of a known hosts file.",
        pattern: '^SHA256:[A-Za-z0-9+/]{43}=?$',
      }),
    ),
    knownHostsFile: Type.Optional(
      Type.String({
        title: 'Known hosts',
        description: 'The file with the keys of known SSH servers; without it `~/.ssh/known_hosts`.',
      }),
    ),
  },
  {
    title: 'SSH tunnel',
    description:
      'Reaches the server through an SSH server that may connect to it; each connection has a tunnel of its own.',
  },
);

/** The options that say which server is read, and how it is reached. */
export const ConnectionOptions = Type.Object({
  uri: Type.Optional(
    Type.String({
      title: 'URI',
      description:
        'A postgresql:// address as libpq knows it, instead of host, port, database and user; read anew for each connection.',
      ...secret,
      format: 'uri',
      refreshed: true,
    }),
  ),
  host: Type.Optional(
    Type.String({
      title: 'Host',
      description:
        'Name or address of the server, or the folder of its Unix socket; several, separated by commas, are tried in order.',
      minLength: 1,
    }),
  ),
  port: Type.Integer({
    title: 'Port',
    description: 'TCP port of the server.',
    default: 5432,
    minimum: 1,
    maximum: 65_535,
  }),
  database: Type.Optional(
    Type.String({ title: 'Database', description: 'The database whose tables are read.', minLength: 1 }),
  ),
  user: Type.Optional(
    Type.String({
      title: 'User',
      description: 'The role to log in as; it needs USAGE on the schemas and SELECT on the tables, nothing more.',
      minLength: 1,
    }),
  ),
  ...passwordProperties,
  tls: TlsSchema,
  sshTunnel: Type.Optional(SshTunnelSchema),
  targetSession: Type.Optional(
    oneOf(['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const, {
      title: 'Target session',
      description: 'Which of the hosts will do, as target_session_attrs of libpq says it; any unless given.',
    }),
  ),
  ...waitProperties('each host'),
  applicationName: Type.String({
    title: 'Application name',
    description: 'The name of the connections in pg_stat_activity.',
    default: 'fjord',
  }),
});

/** The options of a connection, defaults filled in. */
export type ConnectionOptions = Static<typeof ConnectionOptions>;
export type SshTunnelOptions = NonNullable<ConnectionOptions['sshTunnel']>;
export type TargetSession = NonNullable<ConnectionOptions['targetSession']>;
