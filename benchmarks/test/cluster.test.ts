import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { statementsOf } from '../cluster.ts';

const scriptOf = (table: string) => readFileSync(path.join(import.meta.dirname, '..', 'data', `${table}.sql`), 'utf8');

test.for([
  { table: 'trips', variable: 'n' },
  { table: 'lineitem', variable: 'orders' },
])('the script of $table becomes five statements without psql', ({ table, variable }) => {
  const statements = statementsOf(scriptOf(table), variable, 1234);
  expect(statements.map((statement) => /^[A-Z]+( TABLE| INTO)?/.exec(statement)?.[0])).toEqual([
    'DROP TABLE',
    'CREATE TABLE',
    'INSERT INTO',
    'VACUUM',
    'CHECKPOINT',
  ]);
  expect(statements[2]).toContain('generate_series(1, 1234::bigint)');
});

test('a block between dollars is one statement, whatever ends its lines', () => {
  const kinds = statementsOf(scriptOf('many'), 'tables', 7).map((statement) => /^[A-Z]+/.exec(statement)?.[0]);
  expect(kinds).toEqual(['DO', 'DROP', 'CREATE', 'VACUUM', 'CHECKPOINT']);
});
