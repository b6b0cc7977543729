import { daysFromCivil, type FixedColumn } from '@fjord/core/arrow';
import type { Rejections } from '@fjord/replication';
import type { FieldRun } from './fields.ts';

/** Readers take the years 1 to 9999 (Python's datetime and others refuse the rest, and then the whole table). */
const LAST_YEAR = 9999;
const SECONDS_OF_DAY = 86_400;
const DAY_MICROS = SECONDS_OF_DAY * 1e6;
const TWO_32 = 4_294_967_296;
/** Up to so many seconds from 1970 microseconds are exact in a double. */
const EXACT_SECONDS = 9_000_000_000;

/** Days since 1970-01-01 of the first of each month, by `year * 12 + month - 1`; one more month than there is, for the length of the last. */
let monthStarts: Int32Array | undefined;

function startsOfMonths(): Int32Array {
  monthStarts ??= Int32Array.from({ length: (LAST_YEAR + 1) * 12 + 1 }, (_, index) =>
    daysFromCivil(Math.floor(index / 12), (index % 12) + 1, 1),
  );
  return monthStarts;
}

/** No day has this number. */
const NO_DAY = 0x7fff_ffff;

/**
 * The day of a date (MySQL, Client/Server Protocol, ProtocolBinary::MYSQL_TYPE_DATE) as days since 1970-01-01; `NO_DAY` for 0000-00-00, dates without month
 * or day, days that a month does not have, and the year 0.
 */
function readDay(bytes: Buffer, at: number, starts: Int32Array): number {
  const year = bytes[at]! | (bytes[at + 1]! << 8);
  const month = bytes[at + 2]!;
  const day = bytes[at + 3]!;
  if (year < 1 || year > LAST_YEAR || month < 1 || month > 12 || day < 1) return NO_DAY;
  const index = year * 12 + month - 1;
  const days = starts[index]! + day - 1;
  return days < starts[index + 1]! ? days : NO_DAY;
}

export function decodeDates(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  rejections: Rejections,
): void {
  const { bytes, offsets, lengths, stride } = fields;
  const { validity, words } = column;
  const starts = startsOfMonths();
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) {
      column.nullCount++;
      continue;
    }
    // 0000-00-00 has no bytes at all.
    const day = lengths[o]! < 4 ? NO_DAY : readDay(bytes, at, starts);
    if (day === NO_DAY) {
      rejections.judge('has none');
      column.nullCount++;
      continue;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    words[row] = day;
  }
}

/** Date and time of day, in microseconds since 1970-01-01; parts that are zero at the end are left out by the server. */
export function decodeTimestamps(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  rejections: Rejections,
): void {
  const { bytes, view, offsets, lengths, stride } = fields;
  const { validity } = column;
  const starts = startsOfMonths();
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) {
      column.nullCount++;
      continue;
    }
    const length = lengths[o]!;
    const day = length < 4 ? NO_DAY : readDay(bytes, at, starts);
    if (day === NO_DAY) {
      rejections.judge('has none');
      column.nullCount++;
      continue;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    const clock = length < 7 ? 0 : bytes[at + 4]! * 3600 + bytes[at + 5]! * 60 + bytes[at + 6]!;
    const micros = length < 11 ? 0 : view.getUint32(at + 7, true);
    writeMicros(column.words, row, { seconds: day * SECONDS_OF_DAY + clock, micros });
  }
}

function writeMicros(words: Int32Array, row: number, { seconds, micros }: { seconds: number; micros: number }): void {
  if (seconds > EXACT_SECONDS || seconds < -EXACT_SECONDS) {
    const exact = BigInt(seconds) * 1_000_000n + BigInt(micros);
    words[2 * row] = Number(BigInt.asIntN(32, exact));
    words[2 * row + 1] = Number(exact >> 32n);
    return;
  }
  const total = seconds * 1e6 + micros;
  const high = Math.floor(total / TWO_32);
  words[2 * row] = total - high * TWO_32;
  words[2 * row + 1] = high;
}

/** A time of day in microseconds from midnight. MySQL's may be negative, or longer than a day: a length of time, and no time of day. */
export function decodeTimes(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  rejections: Rejections,
): void {
  const { bytes, view, offsets, lengths, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (at < 0) {
      column.nullCount++;
      continue;
    }
    let micros = readTime(bytes, view, { at, length: lengths[o]! });
    if (micros < 0 || micros >= DAY_MICROS) {
      if (rejections.judge('has a nearest value') === 'null') {
        column.nullCount++;
        continue;
      }
      micros = micros < 0 ? 0 : DAY_MICROS - 1;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    const high = Math.floor(micros / TWO_32);
    words[2 * row] = micros - high * TWO_32;
    words[2 * row + 1] = high;
  }
}

/** Sign, days, hours, minutes, seconds, microseconds (ProtocolBinary::MYSQL_TYPE_TIME). */
function readTime(bytes: Buffer, view: DataView, { at, length }: { at: number; length: number }): number {
  if (length < 8) return 0;
  const hours = view.getUint32(at + 1, true) * 24 + bytes[at + 5]!;
  const seconds = hours * 3600 + bytes[at + 6]! * 60 + bytes[at + 7]!;
  const micros = seconds * 1e6 + (length < 12 ? 0 : view.getUint32(at + 8, true));
  return bytes[at] === 0 ? micros : -micros;
}
