import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { ParquetError } from '../errors.ts';
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

/** The error of a value with more digits, or further away in time, than its type in Parquet holds. */
export function tooLarge({ field }: ArrowColumn): ParquetError {
  return new ParquetError('invalid_arrow', `Column "${field.name}" has a value that is too large for its type.`);
}
