import type { EncodedChunk } from './column-chunk.ts';
import type { Page } from './page.ts';
import { compareBounds, type ValueOrder } from './statistics/bounds.ts';
import { CompactWriter } from './thrift/compact-writer.ts';

const COLUMN_INDEX = { NULL_PAGES: 1, MINS: 2, MAXES: 3, BOUNDARY_ORDER: 4, NULL_COUNTS: 5 };
const OFFSET_INDEX = { LOCATIONS: 1, DATA_BYTES: 2 };
const LOCATION = { OFFSET: 1, BYTES: 2, FIRST_ROW: 3 };
const BOUNDARY_ORDER = { UNORDERED: 0, ASCENDING: 1, DESCENDING: 2 };
const NOTHING = new Uint8Array();

/** The ColumnIndex of a chunk (PageIndex.md): bounds and nulls page by page. Undefined if some page has values without bounds: it cannot be told then. */
export function encodeColumnIndex(order: ValueOrder, { pages }: EncodedChunk): Uint8Array | undefined {
  const isNullPage = (page: Page) => page.nullCount === page.valueCount;
  if (pages.some((page) => !isNullPage(page) && !page.bounds?.max)) return undefined;
  return CompactWriter.write((writer) => {
    writer.list(COLUMN_INDEX.NULL_PAGES, 'boolean', pages, (page) => writer.booleanElement(isNullPage(page)));
    writer.list(COLUMN_INDEX.MINS, 'binary', pages, ({ bounds }) => writer.binaryElement(bounds?.min ?? NOTHING));
    writer.list(COLUMN_INDEX.MAXES, 'binary', pages, ({ bounds }) => writer.binaryElement(bounds?.max ?? NOTHING));
    writer.i32(COLUMN_INDEX.BOUNDARY_ORDER, boundaryOrder(order, pages));
    writer.list(COLUMN_INDEX.NULL_COUNTS, 'i64', pages, ({ nullCount }) => writer.integerElement(nullCount));
  });
}

/** The OffsetIndex of a chunk whose first data page begins at `offset`. */
export function encodeOffsetIndex({ pages }: EncodedChunk, offset: number): Uint8Array {
  let [next, firstRow] = [offset, 0];
  return CompactWriter.write((writer) => {
    writer.list(OFFSET_INDEX.LOCATIONS, 'struct', pages, ({ bytes, rows }) =>
      writer.element(() => {
        writer.i64(LOCATION.OFFSET, next);
        writer.i32(LOCATION.BYTES, bytes.length);
        writer.i64(LOCATION.FIRST_ROW, firstRow);
        next += bytes.length;
        firstRow += rows;
      }),
    );
    if (pages.some(({ dataBytes }) => dataBytes !== undefined)) {
      writer.list(OFFSET_INDEX.DATA_BYTES, 'i64', pages, ({ dataBytes }) => writer.integerElement(dataBytes ?? 0));
    }
  });
}

/** Whether both bounds ascend or descend from page to page; pages of nothing but nulls do not count. */
function boundaryOrder(order: ValueOrder, pages: readonly Page[]): number {
  let [ascends, descends] = [true, true];
  let last: Page['bounds'];
  for (const { bounds } of pages) {
    if (!bounds?.max) continue;
    if (last?.max) {
      const [min, max] = [compareBounds(order, bounds.min, last.min), compareBounds(order, bounds.max, last.max)];
      ascends &&= min >= 0 && max >= 0;
      descends &&= min <= 0 && max <= 0;
    }
    last = bounds;
  }
  if (ascends) return BOUNDARY_ORDER.ASCENDING;
  return descends ? BOUNDARY_ORDER.DESCENDING : BOUNDARY_ORDER.UNORDERED;
}
