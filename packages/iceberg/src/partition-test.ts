import type { PartitionColumn } from './partition-spec.ts';
import type { Test } from './predicate.ts';
import type { Value } from './single-value.ts';
import { type Transform, bindTransform, parseTransform } from './transform.ts';

const ANY: Test = { op: 'any' };

/**
 * What a test of a column says of the values that a partition transform makes of it (spec: Scan Planning, inclusive projection): it passes
 * for every partition that may hold a row for which the test passes.
 */
export function projectTest(test: Test, { field, type }: PartitionColumn): Test {
  if (test.op === 'any' || test.id !== field['source-id']) return ANY;
  const transform = parseTransform(field.transform);
  if (transform.kind === 'void' || transform.kind === 'unknown') return ANY;
  const id = field['field-id'];
  if (test.op === 'is-null' || test.op === 'not-null') return { op: test.op, id, type };
  if (transform.kind === 'identity') return { ...test, id };
  const apply = bindTransform(transform, test.type);
  if (test.op === 'in') return { op: 'in', id, type, values: test.values.flatMap((value) => apply(value) ?? []) };
  const value = apply(test.value);
  if (value === null || test.op === '!=') return ANY;
  if (test.op === '=') return { op: '=', id, type, value };
  if (transform.kind === 'bucket') return ANY;
  if (test.op === 'starts-with') return projectPrefix(test.value, transform, { id, type, value });
  // All other transforms keep the order: a smaller value is in the same partition or a smaller one.
  return { op: test.op === '<' || test.op === '<=' ? '<=' : '>=', id, type, value };
}

function projectPrefix(
  prefix: Value,
  transform: Transform,
  { id, type, value }: { id: number; type: PartitionColumn['type']; value: Value },
): Test {
  if (transform.kind !== 'truncate') return ANY;
  const length = typeof prefix === 'string' ? Array.from(prefix).length : (prefix as Uint8Array).length;
  return length >= transform.width ? { op: '=', id, type, value } : { op: 'starts-with', id, type, value: prefix };
}
