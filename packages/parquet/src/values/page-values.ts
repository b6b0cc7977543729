import type { ArrowColumn } from '../arrow/arrow-column.ts';
import type { PageBuffer } from '../page-buffer.ts';
import type { Bounds } from '../statistics/bounds.ts';
import type { Selection } from './selection.ts';

/** The values of the page that is being filled, nulls left out, in the form of their physical type. Buffers are reused from page to page. */
export interface PageValues {
  readonly count: number;
  /** Bytes of the PLAIN encoding. */
  readonly plainBytes: number;
  /** Bytes of memory held. */
  readonly heldBytes: number;
  append(column: ArrowColumn, selection: Selection): void;
  /** Writes the PLAIN encoding (Encodings.md, Plain). */
  writePlain(page: PageBuffer): void;
  /** Least and greatest value; undefined if there is none (or only NaN). */
  bounds(): Bounds | undefined;
  /** How many values are NaN; undefined for types that have none. */
  nanCount(): number | undefined;
  /** Forgets the values; keeps at most about `keptBytes` of memory. */
  clear(keptBytes: number): void;
}
