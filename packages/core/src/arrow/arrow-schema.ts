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
  Map_,
  Schema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import { type Column, type ColumnType, parsePrimitive } from '../column-type.ts';

/** The Arrow schema of a BATCH of these columns (docs/protocol.md, Types). */
export function arrowSchema(columns: readonly Column[]): Schema {
  return new Schema(columns.map(({ name, type, nullable }) => arrowField(name, type, nullable)));
}

/** The Arrow type of a column type. */
export function arrowType(type: ColumnType): DataType {
  if (typeof type === 'string') return primitiveType(type);
  if (type.type === 'list') return new List(arrowField('element', type.element, !(type.elementRequired ?? false)));
  if (type.type === 'struct') {
    return new Struct(type.fields.map((field) => arrowField(field.name, field.type, !(field.required ?? false))));
  }
  const entries = new Struct<{ key: DataType; value: DataType }>([
    arrowField('key', type.key, false),
    arrowField('value', type.value, !(type.valueRequired ?? false)),
  ]);
  return new Map_(new Field('key_value', entries, false));
}

function arrowField(name: string, type: ColumnType, nullable: boolean): Field {
  const metadata = type === 'uuid' ? new Map([['ARROW:extension:name', 'arrow.uuid']]) : undefined;
  return new Field(name, arrowType(type), nullable, metadata);
}

function primitiveType(name: string): DataType {
  const type = parsePrimitive(name);
  switch (type.kind) {
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
    case 'decimal':
      return new Decimal(type.scale, type.precision, 128);
    case 'date':
      return new DateDay();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond();
    case 'timestamptz':
      return new TimestampMicrosecond('UTC');
    case 'string':
      return new Utf8();
    case 'uuid':
      return new FixedSizeBinary(16);
    case 'binary':
      return new Binary();
    case 'fixed':
      return new FixedSizeBinary(type.length);
    default:
      return type satisfies never;
  }
}
