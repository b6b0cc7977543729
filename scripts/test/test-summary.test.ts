import { expect, test } from 'vitest';
import { summarise } from '../test-summary.ts';

const COUNTS = { numPassedTests: 2, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };

test('counts what passed and failed, and names what was skipped and the files that broke', () => {
  const results = [
    ['passed', 'failed', 'skipped', 'todo'].map((status) => ({ fullName: `is ${status}`, status })),
    [{ fullName: 'never began', status: 'pending' }],
    [],
  ];
  const testResults = results.map((assertionResults, index) => ({
    name: `/house/a/${index}.test.ts`,
    status: 'failed',
    message: '',
    assertionResults,
  }));
  expect(summarise({ ...COUNTS, testResults }, '/house')).toEqual({
    line: '2 passed, 3 failed, 3 skipped',
    skipped: ['is skipped (a/0.test.ts)', 'is todo (a/0.test.ts)', 'never began (a/1.test.ts)'],
    brokenFiles: ['a/1.test.ts', 'a/2.test.ts'],
  });
});
