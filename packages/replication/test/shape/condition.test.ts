import type { Column, Condition } from '@fjord/core';
import { appendRecord, BatchBuilder } from '@fjord/core/arrow';
import { RecordBatchReader } from 'apache-arrow';
import { expect, test } from 'vitest';
import { compileCondition } from '../../src/shape/condition.ts';

const COLUMNS: Column[] = [
  { name: 'n', type: 'int', nullable: true },
  { name: 't', type: 'string', nullable: true },
];

function evaluate(condition: Condition, rows: Record<string, unknown>[], blankPadded = new Set<string>()) {
  const builder = new BatchBuilder(COLUMNS);
  for (const row of rows) appendRecord(builder, row);
  const [batch] = RecordBatchReader.from(builder.finish().body);
  const test = compileCondition(condition, { columns: COLUMNS, blankPadded })(
    (name) => batch!.data.children[name === 'n' ? 0 : 1]!,
  );
  return rows.map((_, row) => test(row));
}

const isOne: Condition = { column: 'n', compare: '=', value: 1 };
const hasX: Condition = { column: 't', like: '%x%' };

/** n = 1 is true, false, unknown by the row; t LIKE '%x%' by the column. */
const GRID = [1, 2, null].flatMap((n) => ['x', 'y', null].map((t) => ({ n, t })));

test.each<[string, Condition, (boolean | null)[]]>([
  ['and', { and: [isOne, hasX] }, [true, false, null, false, false, false, null, false, null]],
  ['or', { or: [isOne, hasX] }, [true, true, true, true, false, null, true, null, null]],
  ['not', { not: isOne }, [false, false, false, true, true, true, null, null, null]],
  ['is null', { column: 'n', isNull: true }, [false, false, false, false, false, false, true, true, true]],
  ['!=', { column: 'n', compare: '!=', value: 1 }, [false, false, false, true, true, true, null, null, null]],
  ['in', { column: 'n', in: [2, 3] }, [false, false, false, true, true, true, null, null, null]],
  ['an empty and', { and: [] }, GRID.map(() => true)],
  ['an empty or', { or: [] }, GRID.map(() => false)],
])('%s has three values', (_, condition, results) => {
  expect(evaluate(condition, GRID)).toEqual(results);
});

test('blanks at the end mean nothing in a blank-padded column', () => {
  const rows = ['ab  ', 'ab', 'ab c'].map((t) => ({ n: 1, t }));
  const padded = new Set(['t']);
  expect(evaluate({ column: 't', compare: '=', value: 'ab ' }, rows, padded)).toEqual([true, true, false]);
  expect(evaluate({ column: 't', compare: '=', value: 'ab ' }, rows)).toEqual([false, false, false]);
  expect(evaluate({ column: 't', compare: '>', value: 'ab' }, rows, padded)).toEqual([false, false, true]);
});
