import type { ArrowColumn } from '../arrow/arrow-column.ts';
import { bitWidthOf } from '../encodings/bit-pack.ts';
import { appendRle } from '../encodings/rle.ts';
import { ParquetError } from '../errors.ts';
import type { PageBuffer } from '../page-buffer.ts';
import type { Selection } from '../values/selection.ts';
import { appendSized, type Levels, requiredIsNull, type RowRange } from './levels.ts';

/** One step down from a row to a leaf: a value that may or must not be missing, or a list of any number of them; `column` is the place of the Arrow column, on the way down, that tells. */
export type LevelStep = { readonly kind: 'optional' | 'required' | 'list'; readonly column: number };

/** What nested levels are told of their leaf. */
export type NestedPath = { steps: readonly LevelStep[]; maxDefinition: number; maxRepetition: number };

const GONE = -1;
/** Elements of one row, which must lie in one page, at most: their levels take twelve bytes each while they are made. */
const MAX_SLOTS = 2 ** 28;

/**
 * Levels of a leaf below structs, lists and maps (Dremel encoding). Going down step by step, each slot knows the row of the column it has
 * reached, or that it ends above: at a null or an empty list.
 */
export class NestedLevels implements Levels {
  readonly #path: NestedPath;
  #definition = new Uint8Array(0);
  #repetition = new Uint8Array(0);
  #slots = new Slots();
  #spare = new Slots();
  #valid = 0;
  count = 0;

  constructor(path: NestedPath) {
    this.#path = path;
  }

  get nullCount(): number {
    return this.count - this.#valid;
  }

  get heldBytes(): number {
    return this.#definition.length + this.#repetition.length;
  }

  append(columns: readonly ArrowColumn[], { first, rows }: RowRange): Selection {
    this.#slots.begin(first, rows);
    let depth = 0;
    for (const { kind, column } of this.#path.steps) {
      const arrow = columns[column];
      if (!arrow) throw new Error('a leaf has fewer columns above it than its path');
      if (kind === 'optional') this.#slots.dropNulls(arrow.validity);
      else if (kind === 'required') this.#slots.requireValues(arrow);
      else {
        depth += 1;
        this.#spare.expandLists(this.#slots, arrow, depth);
        [this.#slots, this.#spare] = [this.#spare, this.#slots];
      }
    }
    return this.#take();
  }

  write(page: PageBuffer): void {
    const { maxDefinition, maxRepetition } = this.#path;
    const { count } = this;
    if (maxRepetition > 0) {
      appendSized(page, () => appendRle(page, this.#repetition, { count, bitWidth: bitWidthOf(maxRepetition) }));
    }
    if (maxDefinition > 0) {
      appendSized(page, () => appendRle(page, this.#definition, { count, bitWidth: bitWidthOf(maxDefinition) }));
    }
  }

  clear(keptBytes: number): void {
    this.count = 0;
    this.#valid = 0;
    if (this.#definition.length <= keptBytes) return;
    this.#definition = new Uint8Array(0);
    this.#repetition = new Uint8Array(0);
  }

  #take(): Selection {
    const { length, definition, repetition, row } = this.#slots;
    const needed = this.count + length;
    if (needed > this.#definition.length) {
      this.#definition = grown(this.#definition, needed);
      this.#repetition = grown(this.#repetition, needed);
    }
    this.#definition.set(definition.subarray(0, length), this.count);
    this.#repetition.set(repetition.subarray(0, length), this.count);
    let values = 0;
    for (let slot = 0; slot < length; slot++) {
      const at = row[slot]!;
      row[values] = at;
      if (at !== GONE) values += 1;
    }
    this.count = needed;
    this.#valid += values;
    return { start: 0, count: values, indices: row };
  }
}

/** Slots on their way down: their levels so far, and the row that each has reached. */
class Slots {
  definition = new Uint8Array(0);
  repetition = new Uint8Array(0);
  row = new Int32Array(0);
  length = 0;

  begin(first: number, rows: number): void {
    this.#reserve(rows);
    this.length = rows;
    this.definition.fill(0, 0, rows);
    this.repetition.fill(0, 0, rows);
    for (let slot = 0; slot < rows; slot++) this.row[slot] = first + slot;
  }

  dropNulls(validity: Uint8Array | undefined): void {
    const { row, definition, length } = this;
    for (let slot = 0; slot < length; slot++) {
      const at = row[slot]!;
      if (at === GONE) continue;
      if (!validity || (validity[at >> 3]! & (1 << (at & 7))) !== 0) definition[slot]! += 1;
      else row[slot] = GONE;
    }
  }

  requireValues({ validity, field }: ArrowColumn): void {
    if (!validity) return;
    for (let slot = 0; slot < this.length; slot++) {
      const at = this.row[slot]!;
      if (at !== GONE && (validity[at >> 3]! & (1 << (at & 7))) === 0) throw requiredIsNull(field.name);
    }
  }

  /** Takes the slots above with a slot for each element of their lists; a list without any keeps its one slot, which ends there. */
  expandLists(above: Slots, { offsets, field }: ArrowColumn, depth: number): void {
    let length = 0;
    for (let slot = 0; slot < above.length; slot++) {
      const at = above.row[slot]!;
      length += at === GONE ? 1 : Math.max(1, offsets[at + 1]! - offsets[at]!);
    }
    if (length > MAX_SLOTS)
      throw new ParquetError('unsupported', `Column "${field.name}" has a list of more than ${MAX_SLOTS} elements.`);
    this.#reserve(length);
    this.length = length;
    const { definition, repetition, row } = this;
    for (let slot = 0, to = 0; slot < above.length; slot++) {
      const at = above.row[slot]!;
      const [start, end] = at === GONE ? [0, 0] : [offsets[at]!, offsets[at + 1]!];
      definition[to] = above.definition[slot]! + (end > start ? 1 : 0);
      repetition[to] = above.repetition[slot]!;
      row[to++] = end > start ? start : GONE;
      for (let element = start + 1; element < end; element++) {
        definition[to] = above.definition[slot]! + 1;
        repetition[to] = depth;
        row[to++] = element;
      }
    }
  }

  #reserve(length: number): void {
    if (length <= this.row.length) return;
    this.definition = new Uint8Array(2 * length);
    this.repetition = new Uint8Array(2 * length);
    this.row = new Int32Array(2 * length);
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(length, 2 * bytes.length));
  larger.set(bytes);
  return larger;
}
