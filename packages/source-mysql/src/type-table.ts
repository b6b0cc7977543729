import type { ColumnType } from '@fjord/core';
import type { Wire } from './rows/wire.ts';

/** Which values of a type its column cannot hold: none, some with a nearest one that it can, some without. */
export type Misfit = 'none' | 'clampable' | 'lost';

/** A type of MySQL or MariaDB. */
export type TypeRow = {
  /** As the manual writes it; docs/types.md shows this. */
  title: string;
  /** Its names in information_schema (DATA_TYPE). */
  names: string[];
  type: ColumnType;
  wire: Wire;
  /** Where it is declared UNSIGNED. */
  unsigned?: { type: ColumnType; wire: Wire };
  misfit: Misfit;
  /** Whether the server compares and sorts values as their constants: others cut no chunks. */
  isOrdered: boolean;
  note?: string;
};

const plain = (names: string[], type: ColumnType, wire: Wire): TypeRow => ({
  title: names.map((name) => `\`${name}\``).join(', '),
  names,
  type,
  wire,
  misfit: 'none',
  isOrdered: true,
});

const unordered = (row: TypeRow): TypeRow => ({ ...row, isOrdered: false });
const ZERO_DATES = '`0000-00-00`, dates without month or day, days that a month does not have: by `unrepresentable`';

/** Every type with a form of its own, in the order of docs/types.md. What is not here is refused by name. */
export const TYPE_TABLE: readonly TypeRow[] = [
  {
    ...plain(['tinyint'], 'int', 'int1'),
    unsigned: { type: 'int', wire: 'uint1' },
    note: '`tinyint(1)`: with the option `tinyint1: boolean` a boolean',
  },
  { ...plain(['smallint'], 'int', 'int2'), unsigned: { type: 'int', wire: 'uint2' } },
  { ...plain(['mediumint'], 'int', 'int4'), unsigned: { type: 'long', wire: 'uint4' }, note: 'unsigned: `long`' },
  { ...plain(['int'], 'int', 'int4'), unsigned: { type: 'long', wire: 'uint4' }, note: 'unsigned: `long`' },
  {
    ...plain(['bigint'], 'long', 'int8'),
    unsigned: { type: 'decimal(20,0)', wire: 'uint8' },
    note: 'unsigned: `decimal(20,0)`',
  },
  unordered({ ...plain(['float'], 'float', 'float4'), note: 'all its bits' }),
  unordered({ ...plain(['double'], 'double', 'float8'), note: 'all its bits' }),
  { ...plain(['year'], 'int', 'uint2'), note: '`0000` is 0' },
  { ...plain(['date'], 'date', 'date'), misfit: 'lost', note: ZERO_DATES },
  { ...plain(['datetime'], 'timestamp', 'datetime'), misfit: 'lost', note: `microseconds; ${ZERO_DATES}` },
  {
    ...plain(['timestamp'], 'timestamptz', 'timestamp'),
    misfit: 'lost',
    note: 'in UTC, whatever the time zone of server and session; `0000-00-00 00:00:00` by `unrepresentable`',
  },
  {
    ...plain(['time'], 'time', 'time'),
    misfit: 'clampable',
    note: 'negative, and a day or longer: by `unrepresentable`; with the option `timeAs: string` text, as MySQL prints it',
  },
  {
    ...plain(['char', 'varchar'], 'string', 'text'),
    note: 'of any character set; `char` without the blanks at its end, as MySQL has it',
  },
  plain(['tinytext', 'text', 'mediumtext', 'longtext'], 'string', 'text'),
  unordered({ ...plain(['enum', 'set'], 'string', 'text'), note: 'the labels' }),
  unordered({
    ...plain(['json'], 'string', 'text'),
    note: 'as the server prints it, digits of decimals and integers exact; in MariaDB a `longtext`, as it was stored',
  }),
  plain(['binary', 'varbinary'], 'binary', 'bytes'),
  plain(['tinyblob', 'blob', 'mediumblob', 'longblob'], 'binary', 'bytes'),
  unordered({
    ...plain(
      [
        'geometry',
        'point',
        'linestring',
        'polygon',
        'multipoint',
        'multilinestring',
        'multipolygon',
        'geometrycollection',
        'geomcollection',
      ],
      'binary',
      'geometry',
    ),
    note: 'well-known binary, without the SRID; the order of axes as it is stored',
  }),
  { ...plain(['uuid'], 'uuid', 'uuid'), title: '`uuid` (MariaDB)' },
  { ...plain(['inet4', 'inet6'], 'string', 'text'), title: '`inet4`, `inet6` (MariaDB)' },
  unordered({ ...plain(['vector'], { type: 'list', element: 'float' }, 'vector'), title: '`vector` (MySQL)' }),
];

/** What types become that depend on more than their name; the code is in column-types.ts. */
export const COMPOSED_TYPES: readonly { title: string; becomes: string; note: string }[] = [
  { title: '`decimal(p, s)`, p ≤ 38', becomes: '`decimal(p, s)`', note: 'exact, unsigned or not' },
  {
    title: '`decimal(p, s)`, p > 38',
    becomes: '`string`',
    note: 'exact, with all digits of the scale. With the option `wideDecimal: decimal(38, s)` that type: what has more digits before or after the point by `unrepresentable`: `null`, `clamp` (rounded half away from zero, at most the greatest value) or `fail`',
  },
  { title: '`bit(1)`', becomes: '`boolean`', note: '' },
  { title: '`bit(n)`', becomes: '`long`', note: 'as a number; `bit(64)`: `decimal(20,0)`' },
  {
    title: 'generated and invisible columns',
    becomes: 'what their type becomes',
    note: 'stored or virtual; invisible ones are read like all others',
  },
];
