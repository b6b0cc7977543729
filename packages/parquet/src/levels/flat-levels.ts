import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { appendRun } from '../encodings/rle.ts';
import type { PageBuffer } from '../page-buffer.ts';
import type { Selection } from '../values/selection.ts';
import { appendBits, selectValid } from './bitmap.ts';
import { appendSized, type Levels, requiredIsNull, type RowRange } from './levels.ts';

/** Levels of a top-level column without nesting: at most a bit a row, which Arrow's validity bitmap already is. */
export class FlatLevels implements Levels {
  readonly #isOptional: boolean;
  #bitmap = new Uint8Array(0);
  #valid = 0;
  count = 0;

  constructor(isOptional: boolean) {
    this.#isOptional = isOptional;
  }

  get nullCount(): number {
    return this.count - this.#valid;
  }

  get heldBytes(): number {
    return this.#bitmap.length;
  }

  append([column]: readonly ArrowColumn[], { first, rows }: RowRange): Selection {
    const validity = column?.validity;
    const selection = validity ? selectValid(validity, first, rows) : { start: first, count: rows, indices: undefined };
    if (!this.#isOptional && selection.count < rows) throw requiredIsNull(column?.field.name ?? '');
    if (this.#isOptional && (selection.count < rows || this.nullCount > 0)) this.#note(validity, first, rows);
    this.count += rows;
    this.#valid += selection.count;
    return selection;
  }

  write(page: PageBuffer): void {
    if (!this.#isOptional) return;
    appendSized(page, () => {
      if (this.nullCount === 0 || this.#valid === 0) {
        appendRun(page, { value: this.#valid === 0 ? 0 : 1, length: this.count, bitWidth: 1 });
        return;
      }
      const bytes = (this.count + 7) >> 3;
      page.appendVarint(bytes * 2 + 1);
      page.append(this.#bitmap.subarray(0, bytes));
    });
  }

  clear(keptBytes: number): void {
    this.count = 0;
    this.#valid = 0;
    if (this.#bitmap.length > keptBytes) this.#bitmap = new Uint8Array(0);
  }

  /** The bitmap is begun with the first null: until then all bits are set. */
  #note(validity: Uint8Array | undefined, first: number, rows: number): void {
    const bytes = (this.count + rows + 7) >> 3;
    if (bytes > this.#bitmap.length) {
      const larger = new Uint8Array(Math.max(bytes, 2 * this.#bitmap.length));
      larger.set(this.#bitmap.subarray(0, (this.count + 7) >> 3));
      this.#bitmap = larger;
    }
    if (this.nullCount === 0) this.#bitmap.fill(0xff, 0, (this.count + 7) >> 3);
    appendBits(this.#bitmap, this.count, { bits: validity, first, count: rows });
  }
}
