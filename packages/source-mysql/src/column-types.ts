import { type Column, ConnectorError } from '@fjord/core';
import type { UnrepresentablePolicy } from '@fjord/replication';
import type { TypeOptions } from './config.ts';
import { quoteIdentifier } from './quoting.ts';
import type { Wire } from './rows/wire.ts';
import { type Misfit, TYPE_TABLE } from './type-table.ts';

/** A column's type as information_schema describes it; `fullType` is COLUMN_TYPE, with sign and width. */
export type MysqlType = { name: string; fullType: string; precision: number | null; scale: number | null };

/** How a column travels: its type, how its bytes are read, and what is selected instead of it for that. */
export type ColumnMapping = {
  type: Column['type'];
  wire: Wire;
  misfit: Misfit;
  /** Whether the server compares and sorts its values as their constants. */
  isOrdered: boolean;
  /** Makes the expression to select from the column's own; undefined where that is the one. */
  select: ((value: string) => string) | undefined;
};

/** Iceberg's widest decimal (Iceberg spec, Primitive Types). */
const MAX_PRECISION = 38;
const ROWS = new Map(TYPE_TABLE.flatMap((row) => row.names.map((name) => [name, row])));

const asText = (value: string) => `CAST(${value} AS CHAR)`;
const EXACT = { misfit: 'none', isOrdered: true, select: undefined } as const;

/** Finds how a column of a type travels; undefined for a type that nobody knows here. */
export function mapColumnType(of: MysqlType, options: TypeOptions): ColumnMapping | undefined {
  if (of.name === 'decimal') return mapDecimal(of, options);
  if (of.name === 'bit') return mapBit(of.precision ?? 1);
  if (of.name === 'time' && options.timeAs === 'string') {
    return { ...EXACT, type: 'string', wire: 'text', select: asText };
  }
  const row = ROWS.get(of.name);
  if (!row) return undefined;
  const { misfit, isOrdered } = row;
  if (options.tinyint1 === 'boolean' && of.fullType.startsWith('tinyint(1)')) {
    return { ...EXACT, type: 'boolean', wire: 'boolean' };
  }
  const isUnsigned = / unsigned/.test(of.fullType);
  const { type, wire } = (isUnsigned ? row.unsigned : undefined) ?? row;
  return { type, wire, misfit, isOrdered, select: undefined };
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

/** A type that is not known here, as an error that names the column. */
export function unknownType(column: string, { fullType }: MysqlType, stream: string): ConnectorError {
  const message = `Column "${column}" of ${stream} has the type ${fullType}, which is not known.`;
  return new ConnectorError('unsupported', message, {
    stream,
    help: 'Leave the column out (`columns: { exclude: […] }`), and report the type.',
  });
}

function mapDecimal({ precision, scale }: MysqlType, { wideDecimal }: TypeOptions): ColumnMapping {
  if (precision !== null && precision <= MAX_PRECISION) {
    return { ...EXACT, type: `decimal(${precision},${scale ?? 0})`, wire: 'decimal' };
  }
  if (wideDecimal === 'string') return { ...EXACT, type: 'string', wire: 'text' };
  return { ...EXACT, type: wideDecimal, wire: 'wide decimal', misfit: 'clampable' };
}

/** A bit's comparison with a constant depends on what the constant is: bits cut no chunks. */
function mapBit(bits: number): ColumnMapping {
  const mapped = { ...EXACT, isOrdered: false };
  if (bits === 1) return { ...mapped, type: 'boolean', wire: 'bit' };
  return bits < 64
    ? { ...mapped, type: 'long', wire: 'bits' }
    : { ...mapped, type: 'decimal(20,0)', wire: 'wide bits' };
}
