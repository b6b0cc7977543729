import { type PrimitiveType, parsePrimitive } from './data-type.ts';

/**
 * True if values of `from` are values of `to`, so that a column may be widened and files of the narrower type are read as they are (spec:
 * Schema Evolution): int to long, float to double, a decimal to more digits of the same scale, and a type to itself.
 */
export function isPromotable(from: PrimitiveType, to: PrimitiveType): boolean {
  const [narrow, wide] = [parsePrimitive(from), parsePrimitive(to)];
  if (narrow.kind === 'int' && wide.kind === 'long') return true;
  if (narrow.kind === 'float' && wide.kind === 'double') return true;
  if (narrow.kind === 'decimal' && wide.kind === 'decimal')
    return narrow.scale === wide.scale && narrow.precision <= wide.precision;
  if (narrow.kind === 'fixed' && wide.kind === 'fixed') return narrow.length === wide.length;
  return narrow.kind === wide.kind;
}
