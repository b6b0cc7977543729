import { civilFromDays, daysFromCivil } from './calendar.ts';

const MICROS_PER_DAY = 86_400_000_000n;

/** `2024-02-29`; years beyond 9999 or before 0 (2 BC) with sign and at least six digits, as ISO 8601 extends it. */
export function formatDate(days: number): string {
  const [year, month, day] = civilFromDays(days);
  const text = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
  return `${text}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `12:34:56.123456` from microseconds since midnight. */
export function formatTime(micros: bigint): string {
  const seconds = Number(micros / 1_000_000n);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => pad(part, 2));
  return `${clock.join(':')}.${pad(Number(micros % 1_000_000n), 6)}`;
}

/** `2024-02-29T12:34:56.123456` from microseconds since 1970-01-01. */
export function formatTimestamp(micros: bigint): string {
  const timeOfDay = ((micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY;
  return `${formatDate(Number((micros - timeOfDay) / MICROS_PER_DAY))}T${formatTime(timeOfDay)}`;
}

/** A decimal with exactly `scale` digits after the point. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Days since 1970-01-01, or undefined if the text is no ISO date. */
export function parseDate(text: string): number | undefined {
  const match = /^([+-]\d{6,7}|\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!match) return undefined;
  const days = daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3]));
  // A day that does not exist comes back as another one; a date has 32 bits.
  const [, month, day] = civilFromDays(days);
  return month === Number(match[2]) && day === Number(match[3]) && days === (days | 0) ? days : undefined;
}

/** Microseconds since midnight, or undefined if the text is no ISO time with at most six digits of a second. */
export function parseTime(text: string): bigint | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text);
  if (!match) return undefined;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return BigInt(hours * 3600 + minutes * 60 + seconds) * 1_000_000n + BigInt((match[4] ?? '').padEnd(6, '0'));
}

/** Microseconds since 1970-01-01, or undefined if they have no 64 bits; with `zone` the text must carry one (Z or an offset), without it must not. */
export function parseTimestamp(text: string, zone: boolean): bigint | undefined {
  const match = /^([^T ]+)[T ]([\d:.]+)(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (!match || (match[3] !== undefined) !== zone) return undefined;
  const days = parseDate(match[1] ?? '');
  const time = parseTime(match[2] ?? '');
  if (days === undefined || time === undefined) return undefined;
  const micros = BigInt(days) * MICROS_PER_DAY + time - offsetMicros(match[3]);
  return BigInt.asIntN(64, micros) === micros ? micros : undefined;
}

/** The unscaled value of a decimal that fits `precision` and `scale` without rounding. */
export function parseDecimal(text: string, precision: number, scale: number): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) return undefined;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) return undefined;
  const unscaled = BigInt((match[2] ?? '') + fraction.padEnd(scale, '0'));
  if (unscaled >= 10n ** BigInt(precision)) return undefined;
  return match[1] === '-' ? -unscaled : unscaled;
}

function offsetMicros(zone: string | undefined): bigint {
  if (zone === undefined || zone === 'Z') return 0n;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return BigInt(zone.startsWith('-') ? -minutes : minutes) * 60_000_000n;
}

const pad = (value: number, digits: number) => String(value).padStart(digits, '0');
