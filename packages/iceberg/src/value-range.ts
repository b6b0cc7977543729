import { type PrimitiveType, parsePrimitive } from './data-type.ts';
import type { Test } from './predicate.ts';
import { type Value, compareValues } from './single-value.ts';

/** What is known of a column's values in some rows. A bound that is not known is absent. */
export interface ValueRange {
  readonly lower?: Value | undefined;
  readonly upper?: Value | undefined;
  /** Whether any row may be null, and whether any may not. */
  readonly mayBeNull: boolean;
  readonly mayHaveValue: boolean;
  /** Whether any row may be NaN, which bounds leave out. */
  readonly mayBeNaN: boolean;
}

/** Whether any row whose values lie in the range may pass the test. */
export function mayPass(test: Test, range: ValueRange): boolean {
  switch (test.op) {
    case 'any':
      return true;
    case 'is-null':
      return range.mayBeNull;
    case 'not-null':
      return range.mayHaveValue;
    case 'in':
      return range.mayHaveValue && test.values.some((value) => mayEqual(test.type, value, range));
    case '=':
      return range.mayHaveValue && mayEqual(test.type, test.value, range);
    case '!=':
      return range.mayHaveValue && !isOnly(test.value, range);
    case 'starts-with':
      return range.mayHaveValue && mayStartWith(test.value, range);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return range.mayHaveValue && mayLie(test, range);
    default:
      return test satisfies never;
  }
}

function mayEqual(type: PrimitiveType, value: Value, range: ValueRange): boolean {
  if (Number.isNaN(value)) return range.mayBeNaN;
  // Writers disagree on the order of uuids: their bounds say something only where they are one value.
  if (parsePrimitive(type).kind === 'uuid' && range.lower !== range.upper) return true;
  const { lower, upper } = range;
  return (
    (lower === undefined || compareValues(lower, value) <= 0) &&
    (upper === undefined || compareValues(upper, value) >= 0)
  );
}

function isOnly(value: Value, { lower, upper, mayBeNaN }: ValueRange): boolean {
  if (lower === undefined || upper === undefined || mayBeNaN) return false;
  // Bounds of text may be shortened: equal ones are the value only if they are whole, which cannot be told.
  if (typeof value === 'string' || value instanceof Uint8Array) return false;
  return compareValues(lower, value) === 0 && compareValues(upper, value) === 0;
}

function mayLie(test: Extract<Test, { value: Value }>, { lower, upper, mayBeNaN }: ValueRange): boolean {
  // Engines put NaN above all numbers, or nowhere.
  if (mayBeNaN || Number.isNaN(test.value) || parsePrimitive(test.type).kind === 'uuid') return true;
  if (test.op === '<') return lower === undefined || compareValues(lower, test.value) < 0;
  if (test.op === '<=') return lower === undefined || compareValues(lower, test.value) <= 0;
  if (test.op === '>') return upper === undefined || compareValues(upper, test.value) > 0;
  return upper === undefined || compareValues(upper, test.value) >= 0;
}

/** Bounds cut to the prefix's length lie around it if any value between them begins with it. */
function mayStartWith(prefix: Value, { lower, upper }: ValueRange): boolean {
  const beginning = bytesOf(prefix);
  const cut = (bound: Value) => bytesOf(bound).subarray(0, beginning.length);
  return (
    (lower === undefined || Buffer.compare(cut(lower), beginning) <= 0) &&
    (upper === undefined || Buffer.compare(cut(upper), beginning) >= 0)
  );
}

function bytesOf(value: Value): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(String(value));
}
