import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { ParquetError } from '../errors.ts';
import type { PageBuffer } from '../page-buffer.ts';
import type { Selection } from '../values/selection.ts';

/** Rows of a batch: `rows` of them from `first` on. */
export type RowRange = { first: number; rows: number };

/** The definition and repetition levels of the page that is being filled. */
export interface Levels {
  /** Values, nulls and empty lists included: `num_values` of a page. */
  readonly count: number;
  readonly nullCount: number;
  readonly heldBytes: number;
  /** Notes the levels of some rows; gives where, in the column that holds the values, those that are there lie. The selection is valid until the next call. */
  append(columns: readonly ArrowColumn[], range: RowRange): Selection;
  /** Writes both kinds of levels as a data page of version 1 begins with them. */
  write(page: PageBuffer): void;
  clear(keptBytes: number): void;
}

/** Writes what `append` appends with its length in four bytes in front. */
export function appendSized(page: PageBuffer, append: () => void): void {
  page.reserve(4);
  const start = page.length;
  page.length += 4;
  append();
  page.view.setInt32(start, page.length - start - 4, true);
}

/** The error of a null in a column that may have none. */
export function requiredIsNull(name: string): ParquetError {
  return new ParquetError('invalid_arrow', `Column "${name}" is required, but an Arrow batch has a null there.`);
}
