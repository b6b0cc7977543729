import type { ByteSink } from './bytes.ts';
import type { AvroArray, AvroRecord, AvroSchema } from './schema.ts';

/** Writes one value of the schema that the encoder was made for. */
export type Encode = (sink: ByteSink, value: unknown) => void;

/** Makes an encoder for a schema. Records are given as objects by field name, `undefined` is null. It throws TypeError for a value of another type. */
export function createEncoder(schema: AvroSchema): Encode {
  if (typeof schema === 'string') return primitiveEncoder(schema);
  if (isUnion(schema)) return optionalEncoder(schema);
  switch (schema.type) {
    case 'record':
      return recordEncoder(schema);
    case 'array':
      return arrayEncoder(schema);
    case 'fixed':
      return fixedEncoder(schema.size);
    case 'map':
      throw new TypeError('Iceberg manifests have no Avro maps with string keys.');
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'bytes':
    case 'string':
      return primitiveEncoder(schema.type);
    default:
      return schema satisfies never;
  }
}

const PRIMITIVES: Readonly<Record<string, Encode>> = {
  boolean(sink, value) {
    if (typeof value !== 'boolean') throw mismatch('boolean', value);
    sink.writeByte(value ? 1 : 0);
  },
  int(sink, value) {
    if (typeof value !== 'number') throw mismatch('int', value);
    sink.writeLong(value);
  },
  long(sink, value) {
    if (typeof value !== 'bigint') throw mismatch('long', value);
    sink.writeLong(value);
  },
  float(sink, value) {
    if (typeof value !== 'number') throw mismatch('float', value);
    sink.writeFloat(value);
  },
  double(sink, value) {
    if (typeof value !== 'number') throw mismatch('double', value);
    sink.writeDouble(value);
  },
  string(sink, value) {
    if (typeof value !== 'string') throw mismatch('string', value);
    sink.writeString(value);
  },
  bytes(sink, value) {
    if (!(value instanceof Uint8Array)) throw mismatch('bytes', value);
    sink.writeBytes(value);
  },
};

function primitiveEncoder(type: string): Encode {
  const encode = PRIMITIVES[type];
  if (!encode) throw new TypeError(`"${type}" is not a type that can be encoded.`);
  return encode;
}

/** All unions of the Iceberg spec are `["null", type]`. */
function optionalEncoder([first, second, ...more]: readonly AvroSchema[]): Encode {
  if (first !== 'null' || second === undefined || more.length > 0)
    throw new TypeError('A union must be null and one type.');
  const encode = createEncoder(second);
  return (sink, value) => {
    if (value === null || value === undefined) {
      sink.writeByte(0);
      return;
    }
    sink.writeByte(2);
    encode(sink, value);
  };
}

function recordEncoder(schema: AvroRecord): Encode {
  const fields = schema.fields.map((field) => ({ name: field.name, encode: createEncoder(field.type) }));
  return (sink, value) => {
    if (!isRecord(value)) throw mismatch(schema.name, value);
    for (const field of fields) field.encode(sink, value[field.name]);
  };
}

function arrayEncoder(schema: AvroArray): Encode {
  const encode = createEncoder(schema.items);
  return (sink, value) => {
    if (!Array.isArray(value)) throw mismatch('array', value);
    if (value.length > 0) sink.writeLong(value.length);
    for (const item of value) encode(sink, item);
    sink.writeByte(0);
  };
}

function fixedEncoder(size: number): Encode {
  return (sink, value) => {
    if (!(value instanceof Uint8Array) || value.length !== size) throw mismatch(`fixed of ${size} bytes`, value);
    sink.writeRaw(value);
  };
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function mismatch(wanted: string, value: unknown): TypeError {
  return new TypeError(`A value of type ${typeof value} cannot be written as Avro ${wanted}.`);
}
