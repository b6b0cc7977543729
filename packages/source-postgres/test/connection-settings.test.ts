import { expect, test } from 'vitest';
import { validateConfig } from '@fjord/core/config';
import { ConfigSchema } from '../src/config.ts';
import { settingsOf } from '../src/connection-settings.ts';

const settings = (config: Record<string, unknown>) =>
  settingsOf(validateConfig(ConfigSchema, config, 'The config').config);
const FIELDS = { host: 'db', database: 'shop', user: 'me' };

test('single options give the same settings as a URI', () => {
  const fields = settings({
    host: 'a, b',
    port: 5433,
    database: 'shop',
    user: 'me',
    password: 'p@ss',
    tls: { mode: 'verify-ca', caFile: '/ca.pem', certFile: '/me.pem', keyFile: '/me.key', channelBinding: 'require' },
    targetSession: 'prefer-standby',
    connectTimeoutSeconds: 7,
    keepAliveSeconds: 11,
    applicationName: 'lake',
  });
  const uri =
    'postgresql://me:p%40ss@a:5433,b:5433/shop?sslmode=verify-ca&sslrootcert=/ca.pem&sslcert=/me.pem&sslkey=/me.key&channel_binding=require' +
    '&target_session_attrs=prefer-standby&connect_timeout=7&keepalives_idle=11&application_name=lake';
  expect(settings({ uri })).toEqual({ ...fields, tls: { ...fields.tls, isDirect: false } });
});

test.each([
  ['', 'verify-full'],
  ['?sslmode=disable', 'disable'],
  ['?sslmode=require', 'require'],
  // As libpq has it: whoever names a CA wants it used.
  ['?sslmode=require&sslrootcert=/ca.pem', 'verify-ca'],
  ['?sslmode=verify-full&sslrootcert=system', 'verify-full'],
])('TLS of a URI with "%s" is %s', (query, mode) => {
  expect(settings({ uri: `postgresql://me@db/shop${query}` }).tls.mode).toBe(mode);
});

test('a URI takes the password and the TLS files from the options beside it', () => {
  const { password, tls } = settings({
    uri: 'postgresql://me@db?sslmode=require',
    password: 'x',
    tls: { caFile: '/ca' },
  });
  expect({ password, tls }).toMatchObject({ password: 'x', tls: { mode: 'require', caFile: '/ca' } });
});

test('the database of a URI that names none is called like its user', () => {
  expect(settings({ uri: 'postgresql://me@db' }).database).toBe('me');
});

test.each([
  [{}, 'needs `host`, `database`, `user`, or `uri`'],
  [{ host: 'db', user: 'me' }, 'needs `database`, or `uri`'],
  [{ ...FIELDS, uri: 'postgresql://me@db' }, 'has both `uri` and `host`'],
  [{ ...FIELDS, password: 'x', passwordCommand: ['y'] }, 'has both `password` and `passwordCommand`'],
  [{ uri: 'postgresql://me:a@db', password: 'b' }, 'has a password twice, in `uri` and alone'],
  [{ uri: 'postgresql://db/shop' }, 'has a `uri` that names no user'],
  [
    { uri: 'postgresql://me@db?sslmode=prefer' },
    'has a `uri` with sslmode=prefer, which may send in the clear; take disable, require or verify-full',
  ],
  [
    { uri: 'postgresql://me@db?target_session_attrs=best' },
    'has a `uri` with target_session_attrs=best, which is not offered',
  ],
  [
    { uri: 'postgresql://me@db?service=a&passfile=b' },
    'has a `uri` with parameters that are not offered: service, passfile',
  ],
])('refuses %j', (config, fault) => {
  expect(() => settings(config)).toThrow(`The source's connection ${fault}.`);
});
