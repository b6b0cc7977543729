import type { StructType } from './data-type.ts';
import { parsePartitionTerm, resolveTerm } from './partition-term.ts';

/** One field of a sort order. */
export interface SortField {
  readonly transform: string;
  readonly 'source-id': number;
  readonly direction: 'asc' | 'desc';
  readonly 'null-order': 'nulls-first' | 'nulls-last';
}

/** How rows are sorted within a data file (spec: Sorting). Order 0 is unsorted. */
export interface SortOrder {
  readonly 'order-id': number;
  readonly fields: readonly SortField[];
}

/** The order of a table whose files are not sorted. */
export const UNSORTED: SortOrder = { 'order-id': 0, fields: [] };

/**
 * The sort order of terms such as `created_at`, `bucket(16, id) desc` or `name asc nulls-last`; without words ascending, nulls first
 * (descending: last). One of `orders` that is the same is taken. Throws `invalid_argument` for a term that does not suit the schema.
 */
export function createSortOrder(
  schema: StructType,
  terms: readonly string[],
  orders: readonly SortOrder[] = [UNSORTED],
): SortOrder {
  if (terms.length === 0) return UNSORTED;
  const fields = terms.map((term) => parseSortField(schema, term));
  const text = JSON.stringify(fields);
  const same = orders.find((order) => JSON.stringify(order.fields.map(inOrder)) === text);
  return same ?? { 'order-id': Math.max(0, ...orders.map((order) => order['order-id'])) + 1, fields };
}

function parseSortField(schema: StructType, text: string): SortField {
  const words = /^(.*?)(?:\s+(asc|desc))?(?:\s+nulls[- ](first|last))?\s*$/i.exec(text);
  const term = parsePartitionTerm(words?.[1] ?? '');
  const { id } = resolveTerm(schema, term);
  const isDescending = words?.[2]?.toLowerCase() === 'desc';
  const nulls = words?.[3]?.toLowerCase() ?? (isDescending ? 'last' : 'first');
  return inOrder({
    transform: term.transform,
    'source-id': id,
    direction: isDescending ? 'desc' : 'asc',
    'null-order': nulls === 'first' ? 'nulls-first' : 'nulls-last',
  });
}

function inOrder(field: SortField): SortField {
  const { transform, direction } = field;
  return { transform, 'source-id': field['source-id'], direction, 'null-order': field['null-order'] };
}
