import type { BytesColumn } from '@fjord/core/arrow';
import type { FieldRun } from './fields.ts';
import type { PrintedWire } from './wire.ts';

/** The sign field of a numeric (PostgreSQL, numeric.c). */
const NUMERIC_SIGNS: Record<number, string | undefined> = { 0xc000: 'NaN', 0xd000: 'Infinity', 0xf000: '-Infinity' };
const NEGATIVE = 0x4000;
const INT64_ENDS = [2n ** 63n - 1n, -(2n ** 63n)] as const;
const MICROS_PER_S = 1_000_000n;
/** The family of an address of IP version 4; the other one is one more (PostgreSQL, inet.h). */
const IPV4 = 2;

/** Prints a value at a place, so many bytes long. */
type Print = (view: DataView, at: number, length: number) => string;

const PRINT: Record<PrintedWire, Print> = {
  'printed numeric': printNumeric,
  'printed interval': printInterval,
  'printed inet': printInet,
  'printed macaddr': (view, at, length) => hexPairs(view, at, length).join(':'),
};

/** Values in the binary form of their type as what the server makes of them in our sessions (session.ts) as text; all of it is ASCII. */
export function decodePrinted(wire: PrintedWire, { fields, field, rows, base }: FieldRun, column: BytesColumn): void {
  const { view, offsets, stride } = fields;
  const print = PRINT[wire];
  for (let i = 0, o = field, row = base; i < rows; i++, o += stride, row++) {
    const at = offsets[o]!;
    const length = view.getInt32(at - 4);
    let end = column.offsets[row]!;
    if (length < 0) column.nullCount++;
    else {
      const text = print(view, at, length);
      column.reserveData(end + text.length);
      for (let k = 0; k < text.length; k++) column.data[end + k] = text.charCodeAt(k);
      end += text.length;
      column.setValid(row);
    }
    column.offsets[row + 1] = end;
  }
}

/** numeric_send's form: how many digits to base 10,000, the weight of the first, sign, digits after the point that are shown, digits. */
function printNumeric(view: DataView, at: number): string {
  const [digits, weight, sign, scale] = [
    view.getInt16(at),
    view.getInt16(at + 2),
    view.getUint16(at + 4),
    view.getInt16(at + 6),
  ];
  const special = NUMERIC_SIGNS[sign];
  if (special !== undefined) return special;
  const group = (index: number) => (index >= 0 && index < digits ? view.getInt16(at + 8 + 2 * index) : 0);
  const padded = (index: number) => String(group(index)).padStart(4, '0');
  let whole = weight < 0 ? '0' : String(group(0));
  for (let index = 1; index <= weight; index++) whole += padded(index);
  let fraction = '';
  for (let index = weight + 1; fraction.length < scale; index++) fraction += padded(index);
  const point = scale > 0 ? `.${fraction.slice(0, scale)}` : '';
  return `${sign === NEGATIVE ? '-' : ''}${whole}${point}`;
}

/** interval_send's form: microseconds, days, months; as IntervalStyle iso_8601 prints it (PostgreSQL, EncodeInterval). */
function printInterval(view: DataView, at: number): string {
  const [micros, days, months] = [view.getBigInt64(at), view.getInt32(at + 8), view.getInt32(at + 12)];
  const [most, least] = INT64_ENDS;
  if (micros === most && days === 2 ** 31 - 1 && months === 2 ** 31 - 1) return 'infinity';
  if (micros === least && days === -(2 ** 31) && months === -(2 ** 31)) return '-infinity';
  if (micros === 0n && days === 0 && months === 0) return 'PT0S';
  const part = (value: bigint | number, unit: string) => (Number(value) === 0 ? '' : `${value}${unit}`);
  const date = `${part(Math.trunc(months / 12), 'Y')}${part(months % 12, 'M')}${part(days, 'D')}`;
  if (micros === 0n) return `P${date}`;
  const [hours, minutes] = [micros / (3600n * MICROS_PER_S), (micros / (60n * MICROS_PER_S)) % 60n];
  return `P${date}T${part(hours, 'H')}${part(minutes, 'M')}${printSeconds(micros % (60n * MICROS_PER_S))}`;
}

function printSeconds(micros: bigint): string {
  if (micros === 0n) return '';
  const magnitude = micros < 0n ? -micros : micros;
  const fraction = String(magnitude % MICROS_PER_S)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${micros < 0n ? '-' : ''}${magnitude / MICROS_PER_S}${fraction === '' ? '' : `.${fraction}`}S`;
}

/** inet_send's form: family, bits of the network, whether it is a cidr, length, address. As text it always shows its bits. */
function printInet(view: DataView, at: number): string {
  const address = view.getUint8(at) === IPV4 ? printV4(view, at + 4) : printV6(view, at + 4);
  return `${address}/${view.getUint8(at + 1)}`;
}

const printV4 = (view: DataView, at: number) =>
  Array.from({ length: 4 }, (_, index) => view.getUint8(at + index)).join('.');

/** The longest run of two or more zero groups, the first of those, is left out; an address of version 4 within is shown as one (inet_net_ntop). */
function printV6(view: DataView, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(at + 2 * index));
  const { start, length } = longestZeros(groups);
  const isMapped = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  const shown = groups.map((group) => group.toString(16));
  if (isMapped) shown.splice(6, 2, printV4(view, at + 12));
  if (length < 2) return shown.join(':');
  return `${shown.slice(0, start).join(':')}::${shown.slice(start + length).join(':')}`;
}

function longestZeros(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}

const hexPairs = (view: DataView, at: number, length: number) =>
  Array.from({ length }, (_, index) =>
    view
      .getUint8(at + index)
      .toString(16)
      .padStart(2, '0'),
  );
