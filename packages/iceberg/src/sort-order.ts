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
