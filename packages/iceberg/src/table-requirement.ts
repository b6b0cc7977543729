import { IcebergError } from './errors.ts';
import type { TableMetadata } from './table-metadata.ts';

/** What must hold for a commit to be made (REST catalog spec: TableRequirement). */
export type TableRequirement =
  | { readonly type: 'assert-create' }
  | { readonly type: 'assert-table-uuid'; readonly uuid: string }
  | { readonly type: 'assert-ref-snapshot-id'; readonly ref: string; readonly 'snapshot-id': bigint | null }
  | { readonly type: 'assert-last-assigned-field-id'; readonly 'last-assigned-field-id': number }
  | { readonly type: 'assert-current-schema-id'; readonly 'current-schema-id': number }
  | { readonly type: 'assert-last-assigned-partition-id'; readonly 'last-assigned-partition-id': number }
  | { readonly type: 'assert-default-spec-id'; readonly 'default-spec-id': number }
  | { readonly type: 'assert-default-sort-order-id'; readonly 'default-sort-order-id': number };

/** Throws `commit_conflict` for the first requirement that does not hold; `metadata` is undefined while the table does not exist. */
export function checkRequirements(
  metadata: TableMetadata | undefined,
  requirements: readonly TableRequirement[],
): void {
  for (const requirement of requirements) {
    const [wanted, found] = expectation(metadata, requirement);
    if (wanted === found) continue;
    const where = metadata ? `The table at ${metadata.location}` : 'The table';
    throw new IcebergError(
      'commit_conflict',
      `${where} changed: ${describe(requirement)} should be ${wanted} but is ${found}.`,
    );
  }
}

type Fact = string | number | bigint | null | undefined;

function expectation(metadata: TableMetadata | undefined, requirement: TableRequirement): [wanted: Fact, found: Fact] {
  switch (requirement.type) {
    case 'assert-create':
      return [undefined, metadata?.['table-uuid']];
    case 'assert-table-uuid':
      return [requirement.uuid, metadata?.['table-uuid']];
    case 'assert-ref-snapshot-id':
      return [requirement['snapshot-id'], metadata?.refs[requirement.ref]?.['snapshot-id'] ?? null];
    case 'assert-last-assigned-field-id':
      return [requirement['last-assigned-field-id'], metadata?.['last-column-id']];
    case 'assert-current-schema-id':
      return [requirement['current-schema-id'], metadata?.['current-schema-id']];
    case 'assert-last-assigned-partition-id':
      return [requirement['last-assigned-partition-id'], metadata?.['last-partition-id']];
    case 'assert-default-spec-id':
      return [requirement['default-spec-id'], metadata?.['default-spec-id']];
    case 'assert-default-sort-order-id':
      return [requirement['default-sort-order-id'], metadata?.['default-sort-order-id']];
    default:
      return requirement satisfies never;
  }
}

function describe(requirement: TableRequirement): string {
  if (requirement.type === 'assert-ref-snapshot-id') return `the head of ref "${requirement.ref}"`;
  if (requirement.type === 'assert-create') return 'the table';
  return requirement.type.replace('assert-', '').replaceAll('-', ' ');
}
