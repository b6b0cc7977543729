import { expect, test } from 'vitest';
import { fitTable, wrap } from '../src/screen.ts';

const COLUMNS = [
  { title: 'stream', align: 'left' },
  { title: 'rows', align: 'right' },
  { title: 'table', align: 'left' },
] as const;
const ROWS = [
  ['public.a_rather_long_name_of_a_table', '1,234,567', 'create lake.a_rather_long_name'],
  ['b', '1', 'keep lake.b'],
];

test('a table that is too wide has its widest texts cut, never its numbers', () => {
  expect(fitTable(COLUMNS, ROWS, 50).split('\n')).toEqual([
    'stream                   rows  table',
    'public.a_rather_l…  1,234,567  create lake.a_rath…',
    'b                           1  keep lake.b',
  ]);
  for (const width of [30, 40, 60, 79]) {
    for (const line of fitTable(COLUMNS, ROWS, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  }
});

test('nothing is cut where there is no terminal', () => {
  expect(fitTable(COLUMNS, ROWS)).toContain(
    'public.a_rather_long_name_of_a_table  1,234,567  create lake.a_rather_long_name',
  );
});

test('a text is broken between words, and a word that is too long stays whole', () => {
  expect(wrap('one two three\nfour', { width: 9, indent: '  ' })).toBe('  one two\n  three\n  four');
  expect(wrap('a-very-long-word b', { width: 5 })).toBe('a-very-long-word\nb');
  expect(wrap('as it is', { width: undefined })).toBe('as it is');
});
