import type { Table, TableChanges } from '../../catalog.ts';
import { stringifyExactJson } from '../../exact-json.ts';
import type { TableRequirement } from '../../table-requirement.ts';
import type { TableUpdate } from '../../table-update.ts';

/**
 * The requirements of a commit, completed so that it fails if what the updates touch is no longer as it is in `base`: a REST
 * catalog compares nothing else. The rules are those of Iceberg's UpdateRequirements.
 */
export function completeRequirements(base: Table, { updates, requirements }: TableChanges): TableRequirement[] {
  const { metadata } = base;
  const uuid: TableRequirement = { type: 'assert-table-uuid', uuid: metadata['table-uuid'] };
  const all = [uuid, ...requirements, ...updates.flatMap((update) => requirementsOf(base, update))];
  // Compared as text: the same requirement may come from the caller and from here.
  const seen = new Map(all.map((requirement) => [stringifyExactJson(requirement), requirement]));
  return [...seen.values()];
}

/** What each kind of update touches; a new update must be thought about here. */
function requirementsOf({ metadata }: Table, update: TableUpdate): TableRequirement[] {
  switch (update.action) {
    case 'set-snapshot-ref':
    case 'remove-snapshot-ref': {
      const ref = update['ref-name'];
      return [{ type: 'assert-ref-snapshot-id', ref, 'snapshot-id': metadata.refs[ref]?.['snapshot-id'] ?? null }];
    }
    case 'add-schema':
      return [
        { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': metadata['last-column-id'] },
        { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
      ];
    case 'set-current-schema':
      return [{ type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] }];
    case 'add-spec':
      return [
        { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': metadata['last-partition-id'] },
        { type: 'assert-default-spec-id', 'default-spec-id': metadata['default-spec-id'] },
      ];
    case 'set-default-spec':
      return [{ type: 'assert-default-spec-id', 'default-spec-id': metadata['default-spec-id'] }];
    case 'add-sort-order':
    case 'set-default-sort-order':
      return [{ type: 'assert-default-sort-order-id', 'default-sort-order-id': metadata['default-sort-order-id'] }];
    case 'add-snapshot':
    case 'remove-snapshots':
    case 'assign-uuid':
    case 'upgrade-format-version':
    case 'set-properties':
    case 'remove-properties':
    case 'set-location':
      return [];
    default:
      return update satisfies never;
  }
}
