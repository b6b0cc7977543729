import { parsePrimitive } from '@fjord/core';

/** Whether an integer, or a decimal's unscaled value, lies in the range of its type. */
export function fits(value: bigint, type: string): boolean {
  const primitive = parsePrimitive(type);
  if (primitive.kind === 'decimal') {
    const limit = 10n ** BigInt(primitive.precision);
    return value < limit && value > -limit;
  }
  return BigInt.asIntN(primitive.kind === 'int' ? 32 : 64, value) === value;
}
