import { expect, test } from 'vitest';
import { identifyColumns } from '../src/logged-columns.ts';
import type { TableColumn } from '../src/table-columns.ts';

const [INT, TEXT] = [23, 25];

type Short = readonly [number: number, name: string, typeOid?: number];

const tableColumn = ([number, name, typeOid = INT]: Short) =>
  ({ table: 7, number, name, typeOid, typeModifier: -1 }) as TableColumn;

/** The numbers that are found for logged columns, `undefined` where none is. */
function numbers(logged: readonly (readonly [string, number?])[], now: readonly Short[], before: readonly Short[]) {
  const columns = logged.map(([name, typeOid = INT]) => ({ name, typeOid, modifier: -1, isKey: false }));
  const known = before.map(([number, name]) => ({ name, id: `7.${number}` }));
  return identifyColumns(columns, now.map(tableColumn), known).map((column) => column?.number);
}

const START: Short[] = [
  [1, 'id'],
  [2, 'a'],
  [3, 'b'],
];

test.each([
  ['as the catalog has them', [['id'], ['a'], ['b']], START, [1, 2, 3]],
  [
    'renamed since they were logged',
    [['id'], ['a'], ['b']],
    [
      [1, 'id'],
      [2, 'z'],
      [3, 'b'],
    ],
    [1, 2, 3],
  ],
  [
    'renamed, and the catalog says so, too',
    [['id'], ['z'], ['b']],
    [
      [1, 'id'],
      [2, 'z'],
      [3, 'b'],
    ],
    [1, 2, 3],
  ],
  ['with one that came later', [['id'], ['a'], ['b']], [...START, [4, 'c']], [1, 2, 3]],
  [
    'with one that was dropped since',
    [['id'], ['a'], ['b']],
    [
      [1, 'id'],
      [3, 'b'],
    ],
    [1, undefined, 3],
  ],
  [
    'with one that was dropped before',
    [['id'], ['b']],
    [
      [1, 'id'],
      [3, 'b'],
    ],
    [1, 3],
  ],
  [
    'that have changed names',
    [['id'], ['b'], ['a']],
    [
      [1, 'id'],
      [2, 'b'],
      [3, 'a'],
    ],
    [1, 2, 3],
  ],
  [
    'renamed, and another one has the old name now',
    [['id'], ['a'], ['b']],
    [
      [1, 'id'],
      [2, 'z'],
      [3, 'b'],
      [4, 'a'],
    ],
    [1, 2, 3],
  ],
  [
    'dropped and made again under the name',
    [['id'], ['b'], ['a']],
    [
      [1, 'id'],
      [3, 'b'],
      [4, 'a'],
    ],
    [1, 3, 4],
  ],
  ['retyped since, known by their names', [['id'], ['a'], ['b', TEXT]], START, [1, 2, 3]],
  [
    'renamed and retyped since, known by their place',
    [['id'], ['z'], ['b', TEXT]],
    [
      [1, 'id'],
      [2, 'z'],
      [3, 'b'],
    ],
    [1, 2, 3],
  ],
  [
    'unclear: none is taken for another one',
    [['id'], ['x'], ['y']],
    [
      [1, 'id'],
      [3, 'w'],
      [4, 'v'],
    ],
    [1, undefined, undefined],
  ],
] as [string, [string, number?][], Short[], (number | undefined)[]][])(
  'columns of the log %s',
  (_, logged, now, found) => {
    expect(numbers(logged, now, START)).toEqual(found);
  },
);
