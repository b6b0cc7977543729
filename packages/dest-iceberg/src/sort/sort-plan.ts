import {
  currentSchema,
  isPrimitive,
  type NestedField,
  parseTransform,
  type PrimitiveType,
  type SortField,
  type SortOrder,
  type TableMetadata,
} from '@fjord/iceberg';

/** One column by which the rows of a file are sorted: its place among the file's columns, and its type there. */
export type SortColumn = {
  readonly index: number;
  readonly name: string;
  readonly type: PrimitiveType;
  readonly transform: string;
  readonly isDescending: boolean;
  readonly nullsFirst: boolean;
};

/** How the rows of a file are sorted: plain data, which can be sent to a thread. */
export type SortPlan = { readonly orderId: number; readonly columns: readonly SortColumn[] };

/**
 * How files of these fields are sorted by the table's sort order; undefined where it has none, or one that cannot be made here: by a field
 * of a struct, or by a transform of a later spec. A column that the file lacks is null in all rows, so that it orders none.
 */
export function sortPlan(metadata: TableMetadata, fields: readonly NestedField[]): SortPlan | undefined {
  const order = defaultOrder(metadata);
  const topLevel = new Set(currentSchema(metadata).fields.map(({ id }) => id));
  if (order.fields.length === 0 || !order.fields.every((field) => isKnown(field, topLevel))) return undefined;
  return { orderId: order['order-id'], columns: order.fields.flatMap((field) => sortColumn(field, fields)) };
}

function defaultOrder(metadata: TableMetadata): SortOrder {
  const id = metadata['default-sort-order-id'];
  return metadata['sort-orders'].find((order) => order['order-id'] === id) ?? { 'order-id': 0, fields: [] };
}

function isKnown({ transform, 'source-id': id }: SortField, topLevel: ReadonlySet<number>): boolean {
  return topLevel.has(id) && parseTransform(transform).kind !== 'unknown';
}

function sortColumn(field: SortField, fields: readonly NestedField[]): SortColumn[] {
  const { transform, direction, 'source-id': id, 'null-order': nulls } = field;
  const index = fields.findIndex((candidate) => candidate.id === id);
  const [type, name] = [fields[index]?.type, fields[index]?.name];
  // What is void is null in all rows.
  if (type === undefined || name === undefined || !isPrimitive(type) || transform === 'void') return [];
  return [{ index, name, type, transform, isDescending: direction === 'desc', nullsFirst: nulls === 'nulls-first' }];
}
