import type { ListColumn } from '@fjord/core/arrow';
import type { Decoder } from './decoder.ts';
import type { FieldRun } from './fields.ts';
import type { Rejections } from '@fjord/replication';
import type { ArrayWire } from './wire.ts';

/** Bytes before the dimensions: number of dimensions, flags, element type; and of each dimension: length, lower bound (array_send). */
const HEADER_BYTES = 12;
const DIMENSION_BYTES = 8;
/** Before each field of a record: the oid of its type and its length (record_send). */
const FIELD_HEADER_BYTES = 8;

/** Where an array's parts lie: its lengths, eight bytes from one to the next, and its elements, in their order and each after its length. */
type Shape = { dimensions: number; lengths: number; elements: number };

/** Decodes arrays into lists as deep as the column is declared; lower bounds are not kept, elements always are. */
export function arrayDecoder(wire: ArrayWire, decodeElements: Decoder, rejections: Rejections): Decoder {
  let elements = new Int32Array(1024);
  const readShape = wire.isRebuilt ? readRebuiltShape : readArrayShape;
  const counts = new Int32Array(wire.dimensions);
  return (run, column) => {
    const levels = levelsOf(column as ListColumn, wire.dimensions);
    const innermost = levels.at(-1)!;
    const first = firstElement(levels, run.base);
    // An element takes at least the four bytes of its length.
    const most = (run.fields.bytes.length >> 2) + 1;
    if (elements.length < most) elements = new Int32Array(most);
    const count = findElements(run, levels, { readShape, counts, elements, rejections });
    innermost.child.reserve(first + count);
    const fields = { ...run.fields, offsets: elements, stride: 1 };
    decodeElements({ fields, field: 0, rows: count, base: first }, innermost.child);
    innermost.child.length = first + count;
  };
}

function levelsOf(column: ListColumn, dimensions: number): ListColumn[] {
  const levels = [column];
  for (let level = 1; level < dimensions; level++) levels.push(levels[level - 1]!.child as ListColumn);
  return levels;
}

/** The place of the first element of row `base`: where the lists before it end, level by level. */
function firstElement(levels: readonly ListColumn[], base: number): number {
  return levels.reduce((row, { offsets }) => offsets[row]!, base);
}

type Finding = {
  readShape: (view: DataView, at: number) => Shape;
  counts: Int32Array;
  elements: Int32Array;
  rejections: Rejections;
};

/** Notes where the elements of all rows begin, and makes the lists above them; returns how many elements there are. */
function findElements(
  { fields, field, rows, base }: FieldRun,
  levels: readonly ListColumn[],
  { readShape, counts, elements, rejections }: Finding,
): number {
  const { view, offsets, stride } = fields;
  const [outer] = levels;
  let count = 0;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) {
      outer!.nullCount++;
      outer!.offsets[row + 1] = outer!.offsets[row]!;
      continue;
    }
    const shape = readShape(view, at);
    const length = fitShape(view, shape, { counts, rejections });
    appendLists(levels, row, counts);
    for (let k = 0, place = shape.elements; k < length; k++) {
      elements[count++] = place + 4;
      place += 4 + Math.max(0, view.getInt32(place));
    }
  }
  return count;
}

function readArrayShape(view: DataView, at: number): Shape {
  const dimensions = view.getInt32(at);
  return { dimensions, lengths: at + HEADER_BYTES, elements: at + HEADER_BYTES + dimensions * DIMENSION_BYTES };
}

/** A record of two arrays: lengths, each an element of four bytes after its own length of four, and all elements in one row. */
function readRebuiltShape(view: DataView, at: number): Shape {
  const lengths = at + 4 + FIELD_HEADER_BYTES;
  const elements = lengths + view.getInt32(lengths - 4) + FIELD_HEADER_BYTES;
  const row = HEADER_BYTES + DIMENSION_BYTES;
  const dimensions = view.getInt32(lengths) === 0 ? 0 : view.getInt32(lengths + HEADER_BYTES);
  return { dimensions, lengths: lengths + row + 4, elements: elements + row };
}

/** Puts the lengths of an array, outermost first, into as many counts as the column has levels; returns the number of elements. */
function fitShape(
  view: DataView,
  { dimensions, lengths }: Shape,
  { counts, rejections }: Pick<Finding, 'counts' | 'rejections'>,
): number {
  const depth = counts.length;
  const lengthOf = (dimension: number) => view.getInt32(lengths + dimension * DIMENSION_BYTES);
  // An array without elements has no dimensions, whatever it was written with.
  counts.fill(dimensions === 0 ? 0 : 1);
  if (dimensions === 0) return 0;
  if (dimensions !== depth) rejections.reshape(dimensions, depth);
  let total = 1;
  for (let dimension = 0; dimension < dimensions; dimension++) {
    const level = Math.min(depth - 1, dimension + Math.max(0, depth - dimensions));
    counts[level]! *= lengthOf(dimension);
    total *= lengthOf(dimension);
  }
  return total;
}

/** Adds the lists of one value: one at the outermost level, in each of the others as many as the level above has entries. */
function appendLists(levels: readonly ListColumn[], row: number, counts: Int32Array): void {
  let first = row;
  let lists = 1;
  for (const [level, list] of levels.entries()) {
    if (level > 0) list.reserve(first + lists);
    const entries = counts[level]!;
    for (let at = first; at < first + lists; at++) {
      list.setValid(at);
      list.offsets[at + 1] = list.offsets[at]! + entries;
    }
    const next = list.offsets[first]!;
    first = next;
    lists *= entries;
  }
}
