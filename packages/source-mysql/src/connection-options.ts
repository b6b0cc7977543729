import { type Static, Type } from '@fjord/core/schema';
import {
  passwordProperties,
  secret,
  tlsDescription,
  tlsProperties,
  waitProperties,
} from '@fjord/replication/connection';

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
  ...passwordProperties,
  tls: Type.Object(tlsProperties, tlsDescription),
  ...waitProperties('the server'),
});

/** The options of a connection, defaults filled in. */
export type ConnectionOptions = Static<typeof ConnectionOptions>;
