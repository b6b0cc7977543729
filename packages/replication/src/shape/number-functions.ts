import { parsePrimitive } from '@fjord/core';
import { castBetween } from './cast.ts';
import type { Call, Compute } from './expression.ts';
import { fits } from './number-ranges.ts';
import type { Value } from './value.ts';

type Operator = '+' | '-' | '*' | '/';

/** The four operations: exact in integers and decimals, in doubles else. A result out of its type's range, and a division by zero, is rejected. */
export function compileNumber(call: Call): Compute | undefined {
  const operator = call.name;
  if (operator !== '+' && operator !== '-' && operator !== '*' && operator !== '/') return undefined;
  return call.type === 'double' ? inDoubles(operator, call) : inIntegers(operator as Exclude<Operator, '/'>, call);
}

function inDoubles(operator: Operator, call: Call): Compute {
  const [left, right] = call.types.map((type) => castBetween(type, 'double'));
  return (values) => {
    const a = left?.(values[0]!) as number;
    const b = right?.(values[1]!) as number;
    if (operator === '/' && b === 0) return call.reject();
    return operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b;
  };
}

/** Longs, and decimals by their unscaled values. */
function inIntegers(operator: Exclude<Operator, '/'>, call: Call): Compute {
  const scale = scaleOf(call.type);
  const [left = 0, right = 0] = call.types.map(scaleOf);
  // A product has the digits of both factors; a sum needs both at the same scale.
  const [raiseLeft, raiseRight] =
    operator === '*' ? [1n, 1n] : [10n ** BigInt(scale - left), 10n ** BigInt(scale - right)];
  return ([first, second]) => {
    const a = toBigInt(first!) * raiseLeft;
    const b = toBigInt(second!) * raiseRight;
    const result = operator === '+' ? a + b : operator === '-' ? a - b : a * b;
    return fits(result, call.type) ? result : call.reject();
  };
}

const toBigInt = (value: Exclude<Value, null>) => (typeof value === 'bigint' ? value : BigInt(value as number));

function scaleOf(type: string): number {
  const primitive = parsePrimitive(type);
  return primitive.kind === 'decimal' ? primitive.scale : 0;
}
