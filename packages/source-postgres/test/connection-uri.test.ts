import { expect, test } from 'vitest';
import { type Endpoint, parseConnectionUri } from '../src/connection-uri.ts';

test.each<[string, Endpoint[], Record<string, string>]>([
  ['postgresql://db', [{ host: 'db', port: 5432 }], {}],
  ['postgres://me@db:5433/shop', [{ host: 'db', port: 5433 }], { user: 'me', dbname: 'shop' }],
  ['postgresql://me:@db/', [{ host: 'db', port: 5432 }], { user: 'me' }],
  [
    'postgresql://m%40e:p%3A%2F%3F%23%5B%25@db/s%20h%C3%B8p',
    [{ host: 'db', port: 5432 }],
    { user: 'm@e', password: 'p:/?#[%', dbname: 's høp' },
  ],
  ['postgresql://me:a:b@db', [{ host: 'db', port: 5432 }], { user: 'me', password: 'a:b' }],
  [
    'postgresql://a,b:1,[::1]:2,[2001:db8::7]/x?target_session_attrs=primary',
    [
      { host: 'a', port: 5432 },
      { host: 'b', port: 1 },
      { host: '::1', port: 2 },
      { host: '2001:db8::7', port: 5432 },
    ],
    { dbname: 'x', target_session_attrs: 'primary' },
  ],
  ['postgresql://%2Fvar%2Frun/shop', [{ host: '/var/run', port: 5432 }], { dbname: 'shop' }],
  [
    'postgresql:///shop?host=/tmp&port=5433',
    [{ host: '/tmp', port: 5433 }],
    { dbname: 'shop', host: '/tmp', port: '5433' },
  ],
  [
    'postgresql:///?host=a,b&port=1,2',
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
    { host: 'a,b', port: '1,2' },
  ],
  [
    'postgresql://a,b/?port=7',
    [
      { host: 'a', port: 7 },
      { host: 'b', port: 7 },
    ],
    { port: '7' },
  ],
  ['postgresql://db/?hostaddr=10.0.0.7', [{ host: 'db', port: 5432, address: '10.0.0.7' }], { hostaddr: '10.0.0.7' }],
  [
    'postgresql:///?hostaddr=10.0.0.7',
    [{ host: '10.0.0.7', port: 5432, address: '10.0.0.7' }],
    { hostaddr: '10.0.0.7' },
  ],
  [
    'postgresql://db/shop?user=you&password=x%26y',
    [{ host: 'db', port: 5432 }],
    { user: 'you', password: 'x&y', dbname: 'shop' },
  ],
  ['postgresql://db?ssl=true', [{ host: 'db', port: 5432 }], { sslmode: 'require' }],
])('%s', (uri, endpoints, parameters) => {
  const parsed = parseConnectionUri(uri);
  expect(parsed.endpoints).toEqual(endpoints);
  expect(Object.fromEntries(parsed.parameters)).toEqual(parameters);
});

test.each([
  ['host=db dbname=shop', 'must have the form postgresql://user@host:port/database?parameter=value'],
  ['mysql://db', 'must have the form postgresql://user@host:port/database?parameter=value'],
  ['postgresql:///shop', 'names no host'],
  ['postgresql://a,b/?host=a,b&port=1,2,3', 'has another number of ports than of hosts'],
  ['postgresql://a,b/?hostaddr=10.0.0.1', 'has another number of hostaddr than of hosts'],
  ['postgresql://db:99999', 'has a port that is not a number up to 65535'],
  ['postgresql://::1/shop', 'has a host that is not `name:port`; an IPv6 address stands in brackets'],
  ['postgresql://db?sslmode', 'has a parameter that is not `name=value`'],
  ['postgresql://me:canary%zz@db', 'has a % that is not followed by two hexadecimal digits; write %25 for it'],
])('refuses %s', (uri, fault) => {
  expect(() => parseConnectionUri(uri)).toThrow(`The option uri ${fault}.`);
});
