import { expect, test } from 'vitest';
import { csvLines, gridLines, jsonLines, type ResultLines } from '../src/result-text.ts';

const COLUMNS = [
  { name: 'city', type: 'VARCHAR' },
  { name: 'total', type: 'DECIMAL(38,2)' },
];

const textOf = (lines: ResultLines, ...pages: unknown[][][]) =>
  lines.head(COLUMNS) + pages.map((rows) => lines.rows(rows)).join('') + lines.end();

test('a result is a table with types, numbers to the right, and one line a row', () => {
  expect(textOf(gridLines(), [['Oslo', '1.50']], [['two\nlines', null]])).toBe(
    [
      'city             total',
      'VARCHAR  DECIMAL(38,2)',
      '-------  -------------',
      'Oslo              1.50',
      'two\\nlines           NULL',
      '2 rows',
      '',
    ].join('\n'),
  );
});

test('a result without rows has its columns all the same', () => {
  expect(textOf(gridLines())).toBe(
    ['city             total', 'VARCHAR  DECIMAL(38,2)', '-------  -------------', '0 rows', ''].join('\n'),
  );
});

test('nothing that a value holds reaches the terminal as a command', () => {
  expect(gridLines().rows([['\u001B[2J\u009B']])).not.toMatch(/(?!\n)\p{Cc}/u);
});

test('CSV tells null from an empty text and quotes what would end a field', () => {
  expect(
    textOf(csvLines(), [
      [null, ''],
      ['a "b", c', { d: [1] }],
    ]),
  ).toBe('city,total\n,""\n"a ""b"", c","{""d"":[1]}"\n');
});

test('JSON is one object a row', () => {
  expect(textOf(jsonLines(), [['Oslo', '1.50']], [[null, '2.00']])).toBe(
    '{"city":"Oslo","total":"1.50"}\n{"city":null,"total":"2.00"}\n',
  );
});
