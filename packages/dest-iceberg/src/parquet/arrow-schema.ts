import { isPrimitive, type NestedField, parsePrimitive, type PrimitiveType, type Type } from '@fjord/iceberg';
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Map_ as ArrowMap,
  Schema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampNanosecond,
  Utf8,
} from 'apache-arrow';

/** Decimals travel as 128-bit integers whatever their precision. */
const DECIMAL_BITS = 128;

/** The Arrow schema of columns, with each field's id (nested ones too) in the metadata that Parquet writers take it from. */
export function arrowSchemaWithIds(fields: readonly NestedField[]): Schema {
  return new Schema(fields.map(arrowField));
}

function arrowField(field: Pick<NestedField, 'id' | 'name' | 'required' | 'type'>): Field<DataType> {
  const metadata = new Map([['PARQUET:field_id', String(field.id)]]);
  if (field.type === 'uuid') metadata.set('ARROW:extension:name', 'arrow.uuid');
  return new Field(field.name, arrowType(field.type), !field.required, metadata);
}

function arrowType(type: Type): DataType {
  if (isPrimitive(type)) return arrowPrimitive(type);
  if (type.type === 'struct') return new Struct(type.fields.map(arrowField));
  if (type.type === 'list') {
    return new List(
      arrowField({ id: type['element-id'], name: 'element', required: type['element-required'], type: type.element }),
    );
  }
  const key = arrowField({ id: type['key-id'], name: 'key', required: true, type: type.key });
  const value = arrowField({ id: type['value-id'], name: 'value', required: type['value-required'], type: type.value });
  const entries = new Field('key_value', new Struct<{ key: DataType; value: DataType }>([key, value]), false);
  const map = new ArrowMap(entries);
  // The library renames it to "entries"; Parquet's name is key_value (LogicalTypes.md, Maps), and PyIceberg finds columns by it.
  Object.assign(entries, { name: 'key_value' });
  return map;
}

function arrowPrimitive(type: PrimitiveType): DataType {
  const primitive = parsePrimitive(type);
  switch (primitive.kind) {
    case 'boolean':
      return new Bool();
    case 'int':
      return new Int32();
    case 'long':
      return new Int64();
    case 'float':
      return new Float32();
    case 'double':
      return new Float64();
    case 'date':
      return new DateDay();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond();
    case 'timestamptz':
      return new TimestampMicrosecond('UTC');
    case 'timestamp_ns':
      return new TimestampNanosecond();
    case 'timestamptz_ns':
      return new TimestampNanosecond('UTC');
    case 'string':
      return new Utf8();
    case 'uuid':
      return new FixedSizeBinary(16);
    case 'fixed':
      return new FixedSizeBinary(primitive.length);
    case 'binary':
      return new Binary();
    case 'decimal':
      return new Decimal(primitive.scale, primitive.precision, DECIMAL_BITS);
    case 'unknown':
    case 'variant':
      throw new Error(`columns of type ${type} have no Arrow form`);
    default:
      return primitive satisfies never;
  }
}
