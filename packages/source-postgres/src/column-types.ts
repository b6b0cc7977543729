import type { Column, ColumnType } from '@fjord/core';
import type { UnrepresentablePolicy } from './config.ts';
import { quoteIdentifier } from './quoting.ts';

/** A row of pg_type, as far as a column's mapping needs it. `kind` is typtype; the oids are 0 where there is none. */
export type PgType = {
  oid: number;
  namespace: string;
  name: string;
  kind: string;
  baseType: number;
  baseModifier: number;
  element: number;
  isArray: boolean;
};

/** The types a column may lead to (base types of domains, elements of arrays), by oid. */
export type PgTypes = ReadonlyMap<number, PgType>;

/** How the bytes of a value in COPY's binary format are to be read; for arrays, how those of an element are. */
export type WireType =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'oid'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'bytea'
  | 'jsonb'
  | 'text';

/** How a column travels: its type, its wire format, and the type it is cast to in the query, if any. */
export type ColumnMapping = {
  type: ColumnType;
  wire: WireType;
  isArray: boolean;
  cast: 'text' | 'text[]' | undefined;
  /** Which values the column type cannot hold: none, some with a nearest one that it can, some without (NaN). */
  unrepresentable: 'none' | 'clampable' | 'lost';
};

type Scalar = Omit<ColumnMapping, 'isArray' | 'cast'> & { cast?: 'text' };

/** The types of pg_catalog that have a decoder, docs/types.md in code. All others travel as the text that PostgreSQL prints. */
const SCALARS: Record<string, Scalar | undefined> = {
  bool: { type: 'boolean', wire: 'bool', unrepresentable: 'none' },
  int2: { type: 'int', wire: 'int2', unrepresentable: 'none' },
  int4: { type: 'int', wire: 'int4', unrepresentable: 'none' },
  int8: { type: 'long', wire: 'int8', unrepresentable: 'none' },
  oid: { type: 'long', wire: 'oid', unrepresentable: 'none' },
  float4: { type: 'float', wire: 'float4', unrepresentable: 'none' },
  float8: { type: 'double', wire: 'float8', unrepresentable: 'none' },
  date: { type: 'date', wire: 'date', unrepresentable: 'clampable' },
  time: { type: 'time', wire: 'time', unrepresentable: 'clampable' },
  timestamp: { type: 'timestamp', wire: 'timestamp', unrepresentable: 'clampable' },
  timestamptz: { type: 'timestamptz', wire: 'timestamptz', unrepresentable: 'clampable' },
  uuid: { type: 'uuid', wire: 'uuid', unrepresentable: 'none' },
  bytea: { type: 'binary', wire: 'bytea', unrepresentable: 'none' },
  json: { type: 'string', wire: 'text', unrepresentable: 'none' },
  jsonb: { type: 'string', wire: 'jsonb', unrepresentable: 'none' },
  text: { type: 'string', wire: 'text', unrepresentable: 'none' },
  varchar: { type: 'string', wire: 'text', unrepresentable: 'none' },
  // No cast: bpchar::text would drop the padding.
  bpchar: { type: 'string', wire: 'text', unrepresentable: 'none' },
  name: { type: 'string', wire: 'text', unrepresentable: 'none' },
};

const AS_TEXT: Scalar = { type: 'string', wire: 'text', cast: 'text', unrepresentable: 'none' };
// A binary enum is its label.
const ENUM: Scalar = { type: 'string', wire: 'text', unrepresentable: 'none' };

/** Iceberg's widest decimal (Iceberg spec, Primitive Types). */
const MAX_PRECISION = 38;

/** Finds how a column of a type (oid and typmod) travels. */
export function mapColumnType(oid: number, modifier: number, types: PgTypes): ColumnMapping {
  const base = resolveDomain(oid, modifier, types);
  const type = types.get(base.oid);
  if (!type?.isArray) {
    const { cast, ...scalar } = mapScalar(base, types);
    return { ...scalar, isArray: false, cast };
  }
  // The modifier of an array belongs to its elements.
  const element = mapScalar(resolveDomain(type.element, base.modifier, types), types);
  return {
    type: { type: 'list', element: element.type },
    wire: element.wire,
    isArray: true,
    cast: element.cast === undefined ? undefined : 'text[]',
    // A value of several dimensions is no list of elements, whatever these are.
    unrepresentable: 'lost',
  };
}

/** Whether a column must be discovered as nullable: null takes the place of values that its type cannot hold. Never a key column. */
export function becomesNullable(mapping: ColumnMapping, policy: UnrepresentablePolicy): boolean {
  if (policy === 'fail') return false;
  return policy === 'clamp' ? mapping.unrepresentable === 'lost' : mapping.unrepresentable !== 'none';
}

/** The expression that selects a column in the form its decoder reads. */
export function selectExpression({ name }: Pick<Column, 'name'>, { cast }: ColumnMapping): string {
  return cast === undefined ? quoteIdentifier(name) : `${quoteIdentifier(name)}::pg_catalog.${cast}`;
}

/** A type as a column refers to it. */
export type TypeReference = { oid: number; modifier: number };

/** The type below a domain, of a domain, … with the modifier given there. What is no domain stays. */
export function resolveDomain(oid: number, modifier: number, types: PgTypes): TypeReference {
  const type = types.get(oid);
  if (type?.kind !== 'd') return { oid, modifier };
  return resolveDomain(type.baseType, type.baseModifier, types);
}

function mapScalar({ oid, modifier }: TypeReference, types: PgTypes): Scalar {
  const type = types.get(oid);
  if (type?.kind === 'e') return ENUM;
  if (type?.namespace !== 'pg_catalog') return AS_TEXT;
  return type.name === 'numeric' ? mapNumeric(modifier) : (SCALARS[type.name] ?? AS_TEXT);
}

/** numeric's modifier holds precision and an 11-bit signed scale (PostgreSQL 15 and later: negative or above the precision). */
function mapNumeric(modifier: number): Scalar {
  if (modifier < 0) return AS_TEXT;
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  const exactScale = Math.max(scale, 0);
  const exactPrecision = Math.max(precision - Math.min(scale, 0), exactScale);
  if (exactPrecision > MAX_PRECISION) return AS_TEXT;
  return { type: `decimal(${exactPrecision},${exactScale})`, wire: 'numeric', unrepresentable: 'lost' };
}
