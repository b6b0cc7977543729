import { daysFromCivil } from '@fjord/core/arrow';

/** Days from 1970-01-01 to 2000-01-01, from where PostgreSQL counts. */
const EPOCH_DAYS = 10_957;
const DAY_MICROS = 86_400_000_000n;

/** How infinity is stored (PostgreSQL, DATEVAL_NOBEGIN and others): the least and the greatest number. */
const DAY_LIMITS: Record<string, number | undefined> = { infinity: 2 ** 31 - 1, '-infinity': -(2 ** 31) };
const MICROS_LIMITS: Record<string, bigint | undefined> = { infinity: 2n ** 63n - 1n, '-infinity': -(2n ** 63n) };

const DATE = /^(\d+)-(\d\d)-(\d\d)/;

/** Days since 2000-01-01 of a date as printed with DateStyle ISO. */
export function dayOf(text: string): number {
  const limit = DAY_LIMITS[text];
  if (limit !== undefined) return limit;
  const [, year, month, day] = DATE.exec(text) ?? [];
  // 1 BC is the year 0.
  const signed = text.endsWith(' BC') ? 1 - Number(year) : Number(year);
  return daysFromCivil(signed, Number(month), Number(day)) - EPOCH_DAYS;
}

/** Microseconds since midnight of a time: `12:34:56.789`. */
export function microsOfDay(text: string): bigint {
  const [hours = '', minutes = '', seconds = ''] = text.split(':');
  const [whole = '', fraction = ''] = seconds.split('.');
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(whole);
  return BigInt(total) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
}

/** Microseconds since 2000-01-01 of a timestamp as printed with DateStyle ISO and time zone UTC. */
export function microsOf(text: string): bigint {
  const limit = MICROS_LIMITS[text];
  if (limit !== undefined) return limit;
  const space = text.indexOf(' ');
  const [time = ''] = /^[\d:.]+/.exec(text.slice(space + 1)) ?? [];
  return BigInt(dayOf(text)) * DAY_MICROS + microsOfDay(time);
}
