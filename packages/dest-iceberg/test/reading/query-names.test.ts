import type { SelectedStream } from '@fjord/core';
import { expect, test } from 'vitest';
import { findQueryNames } from '../../src/reading/query-names.ts';

const stream = (id: string, target: string): SelectedStream => {
  const [namespace = '', name = ''] = id.split('.');
  const [targetNamespace = '', targetName = ''] = target.split('.');
  return {
    stream: id,
    namespace,
    name,
    columns: [],
    primaryKey: [],
    writeMode: 'append',
    target: { namespace: [targetNamespace], name: targetName },
  };
};

const names = (streams: SelectedStream[], sql: string) =>
  findQueryNames(streams, sql).map((found) => `${found.schema}.${found.name} = ${found.stream.stream}`);

test('a table is called by its own name, its stream, or its bare name, whatever the case', () => {
  expect(names([stream('public.orders', 'shop.orders')], 'SELECT * FROM ORDERS')).toEqual([
    'shop.orders = public.orders',
    'public.orders = public.orders',
    'main.orders = public.orders',
  ]);
});

test('a bare name that two tables have means none, and a whole name goes before a stream called so', () => {
  const streams = [stream('b.orders', 'a.orders'), stream('c.orders', 'b.orders')];
  expect(names(streams, 'from orders')).toEqual(['a.orders = b.orders', 'b.orders = c.orders', 'c.orders = c.orders']);
});

test('tables that the text does not name are left out; quotes do not hide a name', () => {
  const streams = [stream('s.a', 's.a"b'), stream('s.other', 's.other')];
  expect(names(streams, 'select * from s."a""b"')).toContain('s.a"b = s.a');
  expect(names(streams, 'select * from s."a""b"').join()).not.toContain('other');
});
