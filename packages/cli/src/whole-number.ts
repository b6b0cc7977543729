import { ConnectorError } from '@fjord/core';

/** The positive whole number that an argument says; `arguments_invalid` names the argument. */
export function wholeNumber(value: unknown, name: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new ConnectorError('arguments_invalid', `${name} is a positive whole number, not "${String(value)}".`);
}
