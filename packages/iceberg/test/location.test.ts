import { expect, test } from 'vitest';
import { encodeName, localLocation } from '../src/index.ts';
import { defaultLocation } from '../src/location.ts';

test.each([
  ['orders', 'orders'],
  ['Order-Items_2', 'Order-Items_2'],
  ['a.b', 'a.b'],
  ['..', '~2e.'],
  ['_hidden', '~5fhidden'],
  ['a b/c', 'a~20b~2fc'],
  ['50%?#"~', '50~25~3f~23~22~7e'],
  ['ü🐟', '~c3~bc~f0~9f~90~9f'],
])('name %j becomes the path segment %s', (name, segment) => {
  expect(encodeName(name)).toBe(segment);
});

test('a long name is cut and told apart by its digest', () => {
  const [a, b] = [encodeName(`${'🐟'.repeat(64)}a`), encodeName(`${'🐟'.repeat(64)}b`)];
  expect(a).toHaveLength(200);
  expect(a.slice(0, 183)).toBe(b.slice(0, 183));
  expect(a).not.toBe(b);
});

test('a table is placed under its namespace in the warehouse', () => {
  expect(defaultLocation('s3://b/wh/', { namespace: ['a', 'B'], name: 'x y' })).toBe('s3://b/wh/a.B/x~20y');
});

test.each([
  ['/my data/100%', 'file:///my data/100%'],
  ['/a#b', '/a#b'],
  ['/a?b', '/a?b'],
])('local path %s has the location %s', (path, location) => {
  expect(localLocation(path)).toBe(location);
});
