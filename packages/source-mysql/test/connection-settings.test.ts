import { expect, test } from 'vitest';
import type { ConnectionOptions } from '../src/connection-options.ts';
import { settingsOf } from '../src/connection-settings.ts';

const DEFAULTS: ConnectionOptions = { port: 3306, tls: { mode: 'verify-full' }, connectTimeoutSeconds: 15 };

test('reads single options', () => {
  const options = { ...DEFAULTS, host: 'db', port: 3307, user: 'u', password: 'p', passwordMinutes: 1 };
  expect(settingsOf(options)).toMatchObject({
    host: 'db',
    port: 3307,
    user: 'u',
    password: 'p',
    connectTimeoutMs: 15_000,
  });
});

test.each([
  ['mysql://u:p%40@db', { host: 'db', port: 3306, user: 'u', password: 'p@', tls: { mode: 'verify-full' } }],
  ['mariadb://u@db:4000?ssl-mode=required', { port: 4000, password: undefined, tls: { mode: 'require' } }],
  [
    'mysql://u@[::1]:3306/ignored?ssl-mode=VERIFY_CA&ssl-ca=/ca.pem',
    { host: '::1', tls: { mode: 'verify-ca', caFile: '/ca.pem' } },
  ],
])('reads the address %s', (uri, settings) => {
  expect(settingsOf({ ...DEFAULTS, uri })).toMatchObject(settings);
});

test.each([
  [{ user: 'u' }, '`host`'],
  [{ uri: 'mysql://u@db', host: 'db' }, 'both `uri` and `host`'],
  [{ uri: 'postgresql://u@db' }, 'not mysql://'],
  [{ uri: 'mysql://db' }, 'names no user'],
  [{ uri: 'mysql://u:p@db', password: 'p' }, 'a password twice'],
  [{ uri: 'mysql://u@db?ssl-mode=PREFERRED' }, 'ssl-mode=PREFERRED'],
  [{ uri: 'mysql://u@db?charset=latin1' }, 'not offered: charset'],
  [{ host: 'db', user: 'u', password: 'p', passwordCommand: ['x'] }, 'both `password` and `passwordCommand`'],
])('refuses %j', (options, message) => {
  expect(() => settingsOf({ ...DEFAULTS, ...options })).toThrow(message);
});
