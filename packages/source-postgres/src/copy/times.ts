import type { FixedColumn } from '@fjord/core/arrow';
import type { FieldRun } from './fields.ts';
import type { Rejections } from '@fjord/replication';

/** PostgreSQL counts from 2000-01-01, Arrow and Iceberg from 1970-01-01. */
const EPOCH_DAYS = 10_957;
const EPOCH_MICROS = BigInt(EPOCH_DAYS) * 86_400_000_000n;
const EPOCH_LOW = Number(EPOCH_MICROS & 0xffff_ffffn);
const EPOCH_HIGH = Number(EPOCH_MICROS >> 32n);

/**
 * Days and microseconds from 2000-01-01 of the first and last moment that readers take: years 1 to 9999 (Python's datetime and others
 * refuse the rest, and then the whole table). Infinity is beyond them too.
 */
const MIN_DAY = -730_119;
const MAX_DAY = 2_921_939;
const MIN_MICROS = BigInt(MIN_DAY) * 86_400_000_000n;
const MAX_MICROS = BigInt(MAX_DAY + 1) * 86_400_000_000n - 1n;
const MIN_HIGH = Number(MIN_MICROS >> 32n);
const MAX_HIGH = Number(MAX_MICROS >> 32n);

/** 24:00:00 is a time in PostgreSQL and none in Iceberg (microseconds from midnight, below one day). */
const DAY_MICROS = 86_400_000_000n;
const DAY_HIGH = Number(DAY_MICROS >> 32n);

/** Days since 2000-01-01 (PostgreSQL, date_send). */
export function decodeDates(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  rejections: Rejections,
): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) {
      column.nullCount++;
      continue;
    }
    let day = view.getInt32(at);
    if (day < MIN_DAY || day > MAX_DAY) {
      if (rejections.judge('has a nearest value') === 'null') {
        column.nullCount++;
        continue;
      }
      day = day < MIN_DAY ? MIN_DAY : MAX_DAY;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    words[row] = day + EPOCH_DAYS;
  }
}

/** Microseconds since 2000-01-01 00:00 (UTC if with time zone), 64 bit (PostgreSQL, timestamp_send). */
export function decodeTimestamps(run: FieldRun, column: FixedColumn, rejections: Rejections): void {
  const { fields, field, rows, base } = run;
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) {
      column.nullCount++;
      continue;
    }
    const high = view.getInt32(at);
    if (high <= MIN_HIGH || high >= MAX_HIGH) {
      decodeFarTimestamp(view.getBigInt64(at), { column, row, rejections });
      continue;
    }
    validity[row >> 3]! |= 1 << (row & 7);
    const low = view.getUint32(at + 4) + EPOCH_LOW;
    words[2 * row] = low | 0;
    words[2 * row + 1] = high + EPOCH_HIGH + (low > 0xffff_ffff ? 1 : 0);
  }
}

type Place = { column: FixedColumn; row: number; rejections: Rejections };

/** A timestamp so far away that it may be out of range: exact, and not fast. */
function decodeFarTimestamp(micros: bigint, { column, row, rejections }: Place): void {
  let kept = micros;
  if (micros < MIN_MICROS || micros > MAX_MICROS) {
    if (rejections.judge('has a nearest value') === 'null') {
      column.nullCount++;
      return;
    }
    kept = micros < MIN_MICROS ? MIN_MICROS : MAX_MICROS;
  }
  column.setValid(row);
  const unix = kept + EPOCH_MICROS;
  column.words[2 * row] = Number(BigInt.asIntN(32, unix));
  column.words[2 * row + 1] = Number(unix >> 32n);
}

/** Microseconds since midnight, 64 bit (PostgreSQL, time_send). */
export function decodeTimes(
  { fields, field, rows, base }: FieldRun,
  column: FixedColumn,
  rejections: Rejections,
): void {
  const { view, offsets, stride } = fields;
  const { validity, words } = column;
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    if (view.getInt32(at - 4) < 0) {
      column.nullCount++;
      continue;
    }
    let high = view.getInt32(at);
    let low = view.getInt32(at + 4);
    if (high >= DAY_HIGH && view.getBigInt64(at) >= DAY_MICROS) {
      if (rejections.judge('has a nearest value') === 'null') {
        column.nullCount++;
        continue;
      }
      high = Number((DAY_MICROS - 1n) >> 32n);
      low = Number(BigInt.asIntN(32, DAY_MICROS - 1n));
    }
    validity[row >> 3]! |= 1 << (row & 7);
    words[2 * row] = low;
    words[2 * row + 1] = high;
  }
}
