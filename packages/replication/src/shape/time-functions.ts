import { civilFromDays, daysFromCivil } from '@fjord/core/arrow';
import type { Call, Compute } from './expression.ts';

export const MICROS_PER_DAY = 86_400_000_000n;
const CLOCK_UNITS: Record<string, bigint | undefined> = {
  day: MICROS_PER_DAY,
  hour: 3_600_000_000n,
  minute: 60_000_000n,
  second: 1_000_000n,
};

/** Parts of a date or timestamp, and what is left of it when smaller parts are cut off; times with time zone count in UTC. */
export function compileTime(call: Call): Compute | undefined {
  const isDate = call.types.at(-1) === 'date';
  const daysOf = (value: unknown) => (isDate ? (value as number) : floorDays(value as bigint));
  switch (call.name) {
    case 'year':
      return ([value]) => civilFromDays(daysOf(value))[0];
    case 'month':
      return ([value]) => civilFromDays(daysOf(value))[1];
    case 'day':
      return ([value]) => civilFromDays(daysOf(value))[2];
    case 'date_trunc':
      return truncation(String(call.literal(0)), isDate);
    default:
      return undefined;
  }
}

function truncation(unit: string, isDate: boolean): Compute {
  const clock = CLOCK_UNITS[unit];
  if (clock !== undefined) {
    if (isDate) return ([, value]) => value!;
    return ([, value]) => (value as bigint) - floorMod(value as bigint, clock);
  }
  return ([, value]) => {
    const [year, month] = civilFromDays(isDate ? (value as number) : floorDays(value as bigint));
    const first = daysFromCivil(year, unit === 'year' ? 1 : month, 1);
    return isDate ? first : BigInt(first) * MICROS_PER_DAY;
  };
}

/** The day a moment lies in, before 1970 too. */
export function floorDays(micros: bigint): number {
  return Number((micros - floorMod(micros, MICROS_PER_DAY)) / MICROS_PER_DAY);
}

/** The rest of a division that is never negative. */
export function floorMod(value: bigint, by: bigint): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}
