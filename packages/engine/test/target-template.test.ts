import { expect, test } from 'vitest';
import { fillTemplate } from '../src/target-template.ts';

const stream = { namespace: 'Sales', name: 'tbl_Orders', database: 'shop' };

test.each([
  ['{namespace}', 'Sales'],
  ['{database}_{namespace}.{name}', 'shop_Sales.tbl_Orders'],
  ['raw_{name|lower}_v1', 'raw_tbl_orders_v1'],
  ['{name|removePrefix:tbl_}', 'Orders'],
  ['{name|removePrefix:x_|upper}', 'TBL_ORDERS'],
  ['{ name | removeSuffix:ders | lower }', 'tbl_or'],
  ['a{{b}}', 'a{b}'],
  ['plain', 'plain'],
  ['{name|removePrefix:}', 'tbl_Orders'],
])('%s becomes %s', (template, filled) => {
  expect(fillTemplate(template, stream)).toBe(filled);
});

test.each([
  ['{table}', '"{table}" is none of {namespace}, {name}, {database}'],
  ['{name|snake}', '"snake" is none of lower, upper, removePrefix:TEXT, removeSuffix:TEXT'],
  ['{name', 'a "{" stands alone in "{name"; write it twice if it is meant'],
  ['name}', 'a "}" stands alone in "name}"; write it twice if it is meant'],
  ['{name|removePrefix:tbl_Orders}', '"{name|removePrefix:tbl_Orders}" leaves nothing of the name'],
])('%s is refused', (template, message) => {
  expect(() => fillTemplate(template, stream)).toThrow(message);
});

test('a value with braces is not taken for a template', () => {
  expect(fillTemplate('{name}', { name: '{namespace}' })).toBe('{namespace}');
});

test('a source that names no database has none to fill in', () => {
  expect(() => fillTemplate('{database}', { name: 'a' })).toThrow('the source names no {database}');
  expect(fillTemplate('{namespace}', { name: 'a' })).toBe('default');
});
