import type { Column, ColumnType } from '@fjord/core';
import type { Config, UnrepresentablePolicy } from './config.ts';
import type { PrintedWire, Wire } from './copy/wire.ts';
import { quoteIdentifier } from './quoting.ts';
import { type Misfit, TYPE_TABLE, type TypeRow } from './type-table.ts';

/** A type as a column, an attribute or a domain refers to it; `dimensions` are the declared ones of an array. */
export type TypeReference = { oid: number; modifier: number; dimensions: number };

/** An attribute of a composite type. */
export type PgAttribute = TypeReference & { name: string };

/** A row of pg_type, as far as a column's mapping needs it. `kind` is typtype; the oids are 0 where there is none. */
export type PgType = {
  oid: number;
  namespace: string;
  name: string;
  kind: string;
  base: TypeReference;
  element: number;
  isArray: boolean;
  /** Between elements where arrays of it are printed. */
  delimiter?: string;
  /** The extension that it is part of. */
  extension: string | null;
  /** Of a composite, in their order. */
  attributes: PgAttribute[];
};

/** The types a column may lead to (base types of domains, elements of arrays, attributes of composites), and what decides beside them. */
export type PgTypes = {
  byOid: ReadonlyMap<number, PgType>;
  /** Digits of money after the point, by the session's lc_monetary. */
  moneyScale: number;
  unboundedNumeric: Config['unboundedNumeric'];
};

/** How a column travels: its type, how its bytes are read, and what is selected instead of it for that. */
export type ColumnMapping = {
  type: ColumnType;
  wire: Wire;
  /** Makes the expression to select from the value's own; undefined where that is the one. */
  select: ((value: string) => string) | undefined;
  /** Of a value that the server prints (`select`): how its own bytes are read instead, where we can print it as well. */
  printedHere?: PrintedWire | undefined;
  /** Of the value itself; values within it may always be null. */
  misfit: Misfit;
};

const toText = (value: string) => `${value}::pg_catalog.text`;
const AS_TEXT: ColumnMapping = { type: 'string', wire: 'text', select: toText, misfit: 'none' };
// A binary enum is its label.
const ENUM: ColumnMapping = { ...AS_TEXT, select: undefined };

/** Iceberg's widest decimal (Iceberg spec, Primitive Types). */
const MAX_PRECISION = 38;

const keyOf = (owner: string, name: string) => `${owner}.${name}`;
const ROWS = new Map(
  TYPE_TABLE.flatMap((row) => row.names.map((name) => [keyOf(row.extension ?? 'pg_catalog', name), row])),
);

/** Finds how a column of a type travels. */
export function mapColumnType(reference: TypeReference, types: PgTypes): ColumnMapping {
  const base = resolveDomain(reference, types);
  const type = types.byOid.get(base.oid);
  if (!type) return AS_TEXT;
  if (type.kind === 'e') return ENUM;
  if (type.kind === 'c') return mapComposite(type, types);
  // The modifier of an array belongs to its elements.
  if (type.isArray) return mapArray(base, { oid: type.element, modifier: base.modifier, dimensions: 0 }, types);
  if (type.namespace === 'pg_catalog' && type.name === 'numeric') return mapNumeric(base.modifier, types);
  const row = ROWS.get(keyOf(type.extension ?? type.namespace, type.name));
  return row ? mapRow(row, type.name, types) : AS_TEXT;
}

/** Whether a column must be discovered as nullable: null takes the place of values that its type cannot hold. Never a key column. */
export function becomesNullable({ misfit }: ColumnMapping, policy: UnrepresentablePolicy): boolean {
  if (policy === 'fail') return false;
  return policy === 'clamp' ? misfit === 'lost' : misfit !== 'none';
}

/** The expression that selects a column in the form its decoder reads. */
export function selectExpression({ name }: Pick<Column, 'name'>, { select }: ColumnMapping): string {
  return select ? select(quoteIdentifier(name)) : quoteIdentifier(name);
}

/** The type below a domain, of a domain, … with modifier and dimensions given there. What is no domain stays. */
export function resolveDomain(reference: TypeReference, types: Pick<PgTypes, 'byOid'>): TypeReference {
  const type = types.byOid.get(reference.oid);
  return type?.kind === 'd' ? resolveDomain(type.base, types) : reference;
}

function mapRow(
  { type, wire, isText, misfit, printedHere }: TypeRow,
  name: string,
  { moneyScale }: PgTypes,
): ColumnMapping {
  if (isText) return { ...AS_TEXT, ...(name === 'inet' && { wire: 'inet text' }), printedHere: printedHere?.[name] };
  return { type: wire === 'money' ? `decimal(19,${moneyScale})` : type, wire, select: undefined, misfit };
}

/** numeric's modifier holds precision and an 11-bit signed scale (PostgreSQL 15 and later: negative or above the precision). */
function mapNumeric(modifier: number, { unboundedNumeric }: PgTypes): ColumnMapping {
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  const exactScale = Math.max(scale, 0);
  const exactPrecision = Math.max(precision - Math.min(scale, 0), exactScale);
  const lost = { select: undefined, misfit: 'lost' } as const;
  if (modifier >= 0 && exactPrecision <= MAX_PRECISION) {
    return { type: `decimal(${exactPrecision},${exactScale})`, wire: 'numeric', ...lost };
  }
  if (unboundedNumeric === 'string') return { ...AS_TEXT, printedHere: 'printed numeric' };
  return { type: unboundedNumeric, wire: 'unbounded numeric', ...lost };
}

function mapComposite({ attributes }: PgType, types: PgTypes): ColumnMapping {
  // Parquet has no struct without fields.
  if (attributes.length === 0) return AS_TEXT;
  const fields = attributes.map((attribute) => ({ ...attribute, ...mapColumnType(attribute, types) }));
  const isSelected = fields.some(({ select }) => select !== undefined);
  return {
    type: { type: 'struct', fields: fields.map(({ name, type }) => ({ name, type })) },
    wire: { kind: 'struct', fields: fields.map(({ wire, oid, select }) => ({ wire, oid: select ? undefined : oid })) },
    select: isSelected ? (value) => selectFields(value, fields) : undefined,
    misfit: 'none',
  };
}

/** A record with some attributes in another form. `IS DISTINCT FROM NULL` alone tells a null from a composite of nulls. */
function selectFields(value: string, fields: (Pick<ColumnMapping, 'select'> & { name: string })[]): string {
  const selected = fields.map(({ name, select }) => {
    const attribute = `(${value}).${quoteIdentifier(name)}`;
    return select ? select(attribute) : attribute;
  });
  return `CASE WHEN ${value} IS DISTINCT FROM NULL THEN ROW(${selected.join(', ')}) END`;
}

function mapArray({ dimensions }: TypeReference, of: TypeReference, types: PgTypes): ColumnMapping {
  const element = mapColumnType(of, types);
  const depth = Math.max(1, dimensions);
  const isText = element.select === toText;
  const isRebuilt = element.select !== undefined && !isText;
  const { select } = element;
  const { delimiter = ',' } = types.byOid.get(of.oid) ?? {};
  return {
    type: nest(element.type, depth),
    wire: {
      ...{ kind: 'array', element: element.wire, dimensions: depth, isRebuilt },
      ...(delimiter !== ',' && { delimiter }),
    },
    select: isText ? (value) => `${value}::pg_catalog.text[]` : select && ((value) => rebuildArray(value, select)),
    misfit: 'none',
  };
}

function nest(element: ColumnType, depth: number): ColumnType {
  return depth === 0 ? element : { type: 'list', element: nest(element, depth - 1) };
}

/** An array cannot be cast to one of records: its lengths and its elements, in another form, are selected beside each other. */
function rebuildArray(array: string, select: (value: string) => string): string {
  const lengths = `SELECT pg_catalog.array_length(${array}, d) FROM pg_catalog.generate_series(1, pg_catalog.array_ndims(${array})) AS d`;
  const elements = `SELECT ${select('u.e')} FROM (SELECT pg_catalog.unnest(${array}) AS e) AS u`;
  return `CASE WHEN ${array} IS NOT NULL THEN ROW(ARRAY(${lengths}), ARRAY(${elements})) END`;
}
