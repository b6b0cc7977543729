import { type Column, type ColumnType, parsePrimitive, type PrimitiveType } from '../column-type.ts';
import type { FlatFields } from './flatbuffer-writer.ts';

/** A field of an Arrow schema. `type` is the number of a member of the union Type and that member's fields (Schema.fbs). */
export type ArrowField = {
  name: string;
  isNullable: boolean;
  type: { kind: number; fields: FlatFields };
  children: readonly ArrowField[];
  metadata: Readonly<Record<string, string>>;
};

/** Types whose values lie in children. */
export const NESTED_TYPES = {
  list: { kind: 12, fields: [] },
  struct: { kind: 13, fields: [] },
  map: { kind: 17, fields: [{ byte: 0 }] },
} as const satisfies Record<string, ArrowField['type']>;

/** Arrow's mark of a uuid, which is 16 bytes otherwise. */
export const UUID_METADATA = { 'ARROW:extension:name': 'arrow.uuid' };
/** The name of a map's entries in Parquet (LogicalTypes.md, Maps), which readers find columns by. */
export const MAP_ENTRIES = 'key_value';

const DECIMAL_BITS = 128;
const UNIT = { DAY: 0, MICROSECOND: 2, NANOSECOND: 3 };
const PRECISION = { SINGLE: 1, DOUBLE: 2 };

/** The Arrow field of a column of a BATCH (docs/protocol.md, Types). */
export function arrowField({ name, type, nullable }: Pick<Column, 'name' | 'type' | 'nullable'>): ArrowField {
  const metadata = type === 'uuid' ? UUID_METADATA : {};
  return { name, isNullable: nullable, metadata, ...formOf(type) };
}

function formOf(type: ColumnType): Pick<ArrowField, 'type' | 'children'> {
  if (typeof type === 'string') return { type: primitiveArrowType(parsePrimitive(type)), children: [] };
  if (type.type === 'list') {
    const { element, elementRequired = false } = type;
    return {
      type: NESTED_TYPES.list,
      children: [arrowField({ name: 'element', type: element, nullable: !elementRequired })],
    };
  }
  if (type.type === 'struct') {
    const children = type.fields.map((field) =>
      arrowField({ name: field.name, type: field.type, nullable: !(field.required ?? false) }),
    );
    return { type: NESTED_TYPES.struct, children };
  }
  const key = arrowField({ name: 'key', type: type.key, nullable: false });
  const value = arrowField({ name: 'value', type: type.value, nullable: !(type.valueRequired ?? false) });
  return { type: NESTED_TYPES.map, children: [mapEntries([key, value])] };
}

/** The child of a map: structs of its keys and values. */
export function mapEntries(children: readonly ArrowField[]): ArrowField {
  return { name: MAP_ENTRIES, isNullable: false, type: NESTED_TYPES.struct, children, metadata: {} };
}

/** A primitive type that has an Arrow form: those of columns, and times in nanoseconds, which tables may have. */
type Primitive =
  | { kind: Exclude<PrimitiveType['kind'], 'decimal' | 'fixed'> | 'timestamp_ns' | 'timestamptz_ns' }
  | Extract<PrimitiveType, { kind: 'decimal' | 'fixed' }>;

/** The Arrow type of a primitive type. */
export function primitiveArrowType(primitive: Primitive): ArrowField['type'] {
  switch (primitive.kind) {
    case 'int':
      return { kind: 2, fields: [{ int: 32 }, { byte: 1 }] };
    case 'long':
      return { kind: 2, fields: [{ int: 64 }, { byte: 1 }] };
    case 'float':
      return { kind: 3, fields: [{ short: PRECISION.SINGLE }] };
    case 'double':
      return { kind: 3, fields: [{ short: PRECISION.DOUBLE }] };
    case 'binary':
      return { kind: 4, fields: [] };
    case 'string':
      return { kind: 5, fields: [] };
    case 'boolean':
      return { kind: 6, fields: [] };
    case 'decimal':
      return { kind: 7, fields: [{ int: primitive.precision }, { int: primitive.scale }, { int: DECIMAL_BITS }] };
    case 'date':
      return { kind: 8, fields: [{ short: UNIT.DAY }] };
    case 'time':
      return { kind: 9, fields: [{ short: UNIT.MICROSECOND }, { int: 64 }] };
    case 'timestamp':
      return { kind: 10, fields: [{ short: UNIT.MICROSECOND }] };
    case 'timestamptz':
      return { kind: 10, fields: [{ short: UNIT.MICROSECOND }, { text: 'UTC' }] };
    case 'timestamp_ns':
      return { kind: 10, fields: [{ short: UNIT.NANOSECOND }] };
    case 'timestamptz_ns':
      return { kind: 10, fields: [{ short: UNIT.NANOSECOND }, { text: 'UTC' }] };
    case 'uuid':
      return { kind: 15, fields: [{ int: 16 }] };
    case 'fixed':
      return { kind: 15, fields: [{ int: primitive.length }] };
    default:
      return primitive satisfies never;
  }
}
