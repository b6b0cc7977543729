import { expect, test } from 'vitest';
import { type TableRequirement, checkRequirements, newTableMetadata } from '../src/index.ts';
import { ORDER_SCHEMA } from './warehouse.ts';

const METADATA = {
  ...newTableMetadata({ location: '/t', schema: ORDER_SCHEMA }),
  'table-uuid': 'u',
  refs: { main: { 'snapshot-id': 5n, type: 'branch' as const } },
};

test.each<[TableRequirement, TableRequirement]>([
  [
    { type: 'assert-table-uuid', uuid: 'u' },
    { type: 'assert-table-uuid', uuid: 'v' },
  ],
  [
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 5n },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 6n },
  ],
  [
    { type: 'assert-ref-snapshot-id', ref: 'side', 'snapshot-id': null },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null },
  ],
  [
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 2 },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 1 },
  ],
  [
    { type: 'assert-current-schema-id', 'current-schema-id': 0 },
    { type: 'assert-current-schema-id', 'current-schema-id': 1 },
  ],
  [
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 999 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 1000 },
  ],
  [
    { type: 'assert-default-spec-id', 'default-spec-id': 0 },
    { type: 'assert-default-spec-id', 'default-spec-id': 1 },
  ],
  [
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 1 },
  ],
])('$type holds or is a conflict', (holds, fails) => {
  expect(() => checkRequirements(METADATA, [holds])).not.toThrow();
  expect(() => checkRequirements(METADATA, [holds, fails])).toThrow(
    expect.objectContaining({ code: 'commit_conflict' }),
  );
});

test('assert-create holds only while there is no table', () => {
  expect(() => checkRequirements(undefined, [{ type: 'assert-create' }])).not.toThrow();
  expect(() => checkRequirements(METADATA, [{ type: 'assert-create' }])).toThrow(
    expect.objectContaining({ code: 'commit_conflict' }),
  );
});
