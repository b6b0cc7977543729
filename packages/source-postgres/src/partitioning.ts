import type { Stream } from '@fjord/core';
import type { TableColumn } from './table-columns.ts';

/** How a partitioned table is divided, as the catalog says: by which attributes (0 for an expression), and the bounds of its own partitions. */
export type PartitionedTable = { strategy: 'r' | 'l' | 'h'; attributes: number[]; bounds: string[] };

/** What `PartitionedTable` is read by, of the table `v.oid`. */
export const PARTITIONED_TABLE = `
  (SELECT pg_catalog.json_build_object('strategy', k.partstrat, 'attributes', k.partattrs::int2[],
     'bounds', coalesce((SELECT pg_catalog.json_agg(pg_catalog.pg_get_expr(c.relpartbound, c.oid))
       FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = v.oid), '[]'))
   FROM pg_catalog.pg_partitioned_table AS k WHERE k.partrelid = v.oid)`;

const STRATEGIES = { r: 'range', l: 'list', h: 'hash' } as const;
const DAY_MS = 86_400_000;

/** How a table is divided by columns, for the catalog; nothing where an expression divides it. */
export function partitioningOf(
  partitioned: PartitionedTable | null,
  columns: readonly TableColumn[],
): Pick<Stream, 'partitioning'> {
  if (!partitioned) return {};
  const { strategy, attributes, bounds } = partitioned;
  const names = attributes.flatMap((number) => columns.find((column) => column.number === number)?.name ?? []);
  if (names.length < attributes.length) return {};
  const first = columns.find(({ name }) => name === names[0]);
  const width = strategy === 'r' && first ? medianWidth(bounds, first) : undefined;
  const parts = bounds.filter((bound) => bound !== 'DEFAULT').length;
  return {
    partitioning: {
      strategy: STRATEGIES[strategy],
      columns: names,
      parts,
      ...(width !== undefined && { width }),
    },
  };
}

/** The median width of ranges, in days for dates and times, else in the column's own units; undefined without any that has two ends. */
function medianWidth(bounds: readonly string[], { mapping }: TableColumn): number | undefined {
  const isWhole = mapping.type === 'int' || mapping.type === 'long';
  const widths = bounds.flatMap((bound) => {
    // Of several columns the first is what tells ranges apart.
    const ends = /^FOR VALUES FROM \('?([^',)]*)'?[,)].* TO \('?([^',)]*)'?[,)]/.exec(bound);
    const [from, to] = [ends?.[1], ends?.[2]];
    if (from === undefined || to === undefined) return [];
    const width = isWhole ? Number(to) - Number(from) : (timeOf(to) - timeOf(from)) / DAY_MS;
    return width > 0 ? [width] : [];
  });
  widths.sort((a, b) => a - b);
  return widths[widths.length >> 1];
}

/** Milliseconds since 1970 of a date or time as the server prints it in ISO style. */
function timeOf(text: string): number {
  return Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
}
