import type { ColumnType } from '@fjord/core';
import type { PrintedWire, ScalarWire } from './copy/wire.ts';

/** Which values of a type its column cannot hold: none, some with a nearest one that it can, some without (NaN). */
export type Misfit = 'none' | 'clampable' | 'lost';

/** A type of PostgreSQL, or of an extension, that travels in a form of its own. */
export type TypeRow = {
  /** As the manual writes it; docs/types.md shows this. */
  title: string;
  /** Its names in pg_type: of schema pg_catalog, or of the extension wherever that lies. */
  names: string[];
  extension?: string;
  type: ColumnType;
  wire: ScalarWire;
  /** Whether it travels as the text that the server prints. */
  isText?: true;
  /** Of these, by name, the binary form is one that we can print ourselves. */
  printedHere?: Record<string, PrintedWire>;
  misfit: Misfit;
  note?: string;
};

const plain = (names: string[], type: ColumnType, wire: ScalarWire): TypeRow => ({
  title: names.map((name) => `\`${name}\``).join(', '),
  names,
  type,
  wire,
  misfit: 'none',
});

const printed = (names: string[], note: string): TypeRow => ({ ...plain(names, 'string', 'text'), isText: true, note });

const FAR_TIMES = 'microseconds; infinity, years before 1 and after 9999 by `unrepresentable`, for readers refuse them';

/** Every type with a form of its own, in the order of docs/types.md. What is not here travels as the text that PostgreSQL prints. */
export const TYPE_TABLE: readonly TypeRow[] = [
  { ...plain(['bool'], 'boolean', 'bool'), title: '`boolean`' },
  { ...plain(['int2'], 'int', 'int2'), title: '`smallint`' },
  { ...plain(['int4'], 'int', 'int4'), title: '`integer`' },
  { ...plain(['int8'], 'long', 'int8'), title: '`bigint`' },
  { ...plain(['float4'], 'float', 'float4'), title: '`real`', note: 'NaN, infinity and -0 stay' },
  { ...plain(['float8'], 'double', 'float8'), title: '`double precision`', note: 'NaN, infinity and -0 stay' },
  {
    ...plain(['money'], 'decimal(19,2)', 'money'),
    note: 'exact; the scale is that of `lc_monetary` as the role has it in this database (0 for Japan), for the server keeps no currency',
  },
  { ...plain(['date'], 'date', 'date'), misfit: 'clampable', note: FAR_TIMES.replace('microseconds; ', '') },
  { ...plain(['time'], 'time', 'time'), misfit: 'clampable', note: '`24:00` by `unrepresentable`' },
  { ...plain(['timestamp'], 'timestamp', 'timestamp'), misfit: 'clampable', note: FAR_TIMES },
  { ...plain(['timestamptz'], 'timestamptz', 'timestamptz'), misfit: 'clampable', note: FAR_TIMES },
  printed(['timetz'], '`12:34:56.789+02`: the offset is part of the value'),
  {
    ...printed(['interval'], 'ISO 8601: `P1Y2M3DT4H5M6.789S`; PostgreSQL 17 and later also `infinity`'),
    printedHere: { interval: 'printed interval' },
  },
  { ...plain(['text', 'varchar'], 'string', 'text') },
  {
    ...plain(['bpchar'], 'string', 'text'),
    title: '`char(n)`',
    note: 'padded with spaces to n, as the server sends it; its own comparisons ignore them, those of readers do not',
  },
  plain(['name'], 'string', 'text'),
  { ...printed(['char'], 'the one-byte type of system catalogs'), title: '`"char"`' },
  { ...plain(['citext'], 'string', 'text'), extension: 'citext', note: 'readers compare it with case' },
  {
    ...plain(['json'], 'string', 'text'),
    note: 'as it was stored: spaces, order and doubled keys stay, `\\u0000` too',
  },
  { ...plain(['jsonb'], 'string', 'jsonb'), note: 'numbers stay exact; the server allows no `\\u0000` in it' },
  printed(['xml'], 'as it was stored'),
  plain(['uuid'], 'uuid', 'uuid'),
  plain(['bytea'], 'binary', 'bytea'),
  printed(['bit', 'varbit'], '`10101`'),
  {
    ...printed(['inet', 'cidr', 'macaddr', 'macaddr8'], '`192.168.0.1/24`'),
    printedHere: {
      inet: 'printed inet',
      cidr: 'printed inet',
      macaddr: 'printed macaddr',
      macaddr8: 'printed macaddr',
    },
  },
  printed(['int4range', 'int8range', 'numrange', 'daterange', 'tsrange', 'tstzrange'], '`[1,5)`, bounds as printed'),
  printed(
    ['int4multirange', 'int8multirange', 'nummultirange', 'datemultirange', 'tsmultirange', 'tstzmultirange'],
    '`{[1,3),[5,7)}`',
  ),
  printed(['tsvector', 'tsquery'], "`'cat':2 'fat':1`"),
  printed(['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'], '`(1.5,-2)`'),
  { ...plain(['oid', 'xid', 'cid'], 'long', 'oid'), note: 'unsigned' },
  { ...plain(['xid8'], 'decimal(20,0)', 'xid8'), note: 'unsigned' },
  printed(
    [
      'regclass',
      'regproc',
      'regprocedure',
      'regtype',
      'regrole',
      'regnamespace',
      'regoper',
      'regoperator',
      'regconfig',
      'regdictionary',
      'regcollation',
    ],
    'the name, with its schema',
  ),
  printed(['pg_lsn'], '`16/B374D848`'),
  printed(['pg_snapshot', 'txid_snapshot'], '`10:20:10,14,15`'),
  {
    ...plain(['hstore'], { type: 'map', key: 'string', value: 'string' }, 'hstore'),
    extension: 'hstore',
    note: 'values may be null',
  },
  { ...printed(['ltree', 'lquery', 'ltxtquery'], '`Top.Science.Astronomy`'), extension: 'ltree' },
  {
    ...plain(['geometry', 'geography'], 'binary', 'bytea'),
    extension: 'postgis',
    note: 'EWKB: well-known binary with the SRID in it',
  },
  { ...plain(['vector'], { type: 'list', element: 'float' }, 'vector'), extension: 'vector' },
  { ...plain(['halfvec'], { type: 'list', element: 'float' }, 'halfvec'), extension: 'vector', note: 'exact' },
  { ...printed(['sparsevec'], '`{1:1.5,3:2}/5`'), extension: 'vector' },
];

/** What the types that are made of others become; the code is in column-types.ts. */
export const COMPOSED_TYPES: readonly { title: string; becomes: string; note: string }[] = [
  {
    title: '`numeric(p, s)`, p ≤ 38',
    becomes: '`decimal(p, s)`',
    note: 'exact; NaN by `unrepresentable` (no nearest value). `numeric(5, -2)` becomes `decimal(7, 0)`, `numeric(3, 5)` `decimal(5, 5)`',
  },
  {
    title: '`numeric`, and wider than 38 digits',
    becomes: '`string`',
    note: 'as printed, NaN and infinity too. With the option `unboundedNumeric: decimal(38, s)` that type: what has more digits before or after the point, and infinity, by `unrepresentable`: `null`, `clamp` (rounded half away from zero as PostgreSQL rounds, at most the greatest value) or `fail`; NaN has no nearest value',
  },
  { title: 'enum', becomes: '`string`', note: 'its label; a label that is added later needs nothing' },
  { title: 'domain', becomes: 'what its base type becomes', note: 'a NOT NULL of the domain is not relied on' },
  {
    title: 'composite',
    becomes: '`struct` of its attributes',
    note: 'attributes may be null; a composite that is null differs from one of nulls. One without attributes becomes `string`',
  },
  {
    title: 'array',
    becomes: '`list` of what the element becomes',
    note: 'a list in a list for each dimension that the column was declared with (`integer[][]`, two). PostgreSQL does not hold values to that: one of more dimensions keeps all its elements in the lists of its innermost ones, one of fewer gets lists of one around it, counted by column; with `unrepresentable: fail`, and in a key, the stream fails. `ALTER TABLE … ALTER … TYPE integer[][]` declares the dimensions and rewrites nothing. Elements may be null; lower bounds are not kept',
  },
  {
    title: 'generated column',
    becomes: 'what its type becomes',
    note: 'stored, or computed when read (virtual, PostgreSQL 18)',
  },
  { title: 'range of your own, and any other type', becomes: '`string`', note: 'as PostgreSQL prints it' },
];
