import type { ByteSource } from './bytes.ts';
import type { AvroArray, AvroRecord, AvroSchema, AvroValue } from './schema.ts';

/** Reads one value of the schema that the decoder was made for. */
export type Decode = (source: ByteSource) => AvroValue;

/** What a decoder needs besides its schema. */
export interface DecoderOptions {
  /** Of maps with int keys only these entries are kept, and a map without any of them is null; all unless said. */
  readonly mapKeys?: ReadonlySet<number> | undefined;
}

interface Context extends DecoderOptions {
  /** Types that have a name, for where the schema refers to them. */
  readonly named: Map<string, Decode>;
}

/**
 * Makes a decoder for a foreign writer's schema. The fields of a record are keyed by their Iceberg field id where they have
 * one and by name otherwise, so that a reader is indifferent to the writer's field order and names. Throws TypeError.
 */
export function createDecoder(schema: AvroSchema, options: DecoderOptions = {}): Decode {
  return decoderOf(schema, { ...options, named: new Map() });
}

function decoderOf(schema: AvroSchema, context: Context): Decode {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? namedDecoder(schema, context);
  if (isUnion(schema)) return unionDecoder(schema.map((branch) => decoderOf(branch, context)));
  switch (schema.type) {
    case 'record':
      return recordDecoder(schema, context);
    case 'array':
      return intMapDecoder(schema, context) ?? arrayDecoder(decoderOf(schema.items, context));
    case 'map':
      return mapDecoder(decoderOf(schema.values, context));
    case 'fixed': {
      const decode: Decode = (source) => source.readRaw(schema.size);
      context.named.set(schema.name, decode);
      return decode;
    }
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'bytes':
    case 'string':
      return decoderOf(schema.type, context);
    default:
      return schema satisfies never;
  }
}

const PRIMITIVES: Readonly<Record<string, Decode>> = {
  null: () => null,
  boolean: (source) => source.readByte() !== 0,
  int: (source) => source.readInt(),
  long: (source) => source.readLong(),
  float: (source) => source.readFloat(),
  double: (source) => source.readDouble(),
  bytes: (source) => source.readBytes(),
  string: (source) => source.readString(),
};

/** Passes over a value of the types that maps of metrics have. */
const SKIPS: Readonly<Record<string, (source: ByteSource) => void>> = {
  long: (source) => source.skipLong(),
  bytes: (source) => source.skipBytes(),
};

function namedDecoder(name: string, { named }: Context): Decode {
  const decode = named.get(name);
  if (!decode) throw new TypeError(`Avro type "${name}" is not known.`);
  return decode;
}

function unionDecoder(branches: readonly Decode[]): Decode {
  return (source) => {
    const decode = branches[source.readInt()];
    if (!decode) throw new RangeError('An Avro union names a branch that it does not have.');
    return decode(source);
  };
}

function recordDecoder(schema: AvroRecord, context: Context): Decode {
  const fields: { key: string; decode: Decode }[] = [];
  const decodeRecord: Decode = (source) => {
    const record: { [field: string]: AvroValue } = {};
    for (const field of fields) record[field.key] = field.decode(source);
    return record;
  };
  // Registered before its fields are made: a record may refer to itself.
  context.named.set(schema.name, decodeRecord);
  for (const field of schema.fields) {
    fields.push({ key: String(field['field-id'] ?? field.name), decode: decoderOf(field.type, context) });
  }
  return decodeRecord;
}

function arrayDecoder(decode: Decode): Decode {
  return (source) => {
    const items: AvroValue[] = [];
    for (let count = readBlockCount(source); count > 0; count = readBlockCount(source)) {
      for (let index = 0; index < count; index++) items.push(decode(source));
    }
    return items;
  };
}

/**
 * A map with int keys, which Iceberg writes as an array of key-value records: decoded to one flat list of keys and values in turn. A manifest
 * has dozens for each file, so that objects for their items would take most of the time.
 */
function intMapDecoder(schema: AvroArray, context: Context): Decode | undefined {
  const { items } = schema;
  if (schema.logicalType !== 'map' || typeof items === 'string' || !('type' in items) || items.type !== 'record')
    return;
  const [key, value, ...more] = items.fields;
  if (key?.type !== 'int' || value === undefined || more.length > 0) return;
  const decodeValue = decoderOf(value.type, context);
  const { mapKeys } = context;
  if (mapKeys) return someEntriesDecoder(mapKeys, decodeValue, skipperOf(value.type) ?? decodeValue);
  return (source) => {
    const flat: AvroValue[] = [];
    for (let count = readBlockCount(source); count > 0; count = readBlockCount(source)) {
      for (let index = 0; index < count; index++) flat.push(source.readInt(), decodeValue(source));
    }
    return flat;
  };
}

function skipperOf(type: AvroSchema): ((source: ByteSource) => void) | undefined {
  return typeof type === 'string' ? SKIPS[type] : undefined;
}

/** A big table's manifests are mostly metrics, of which most are never looked at. */
function someEntriesDecoder(
  keys: ReadonlySet<number>,
  decodeValue: Decode,
  skipValue: (source: ByteSource) => unknown,
): Decode {
  return (source) => {
    // None of the keys: as if there were no map, of which there are six for each file.
    let flat: AvroValue[] | null = null;
    for (let count = readBlockCount(source); count > 0; count = readBlockCount(source)) {
      for (let index = 0; index < count; index++) {
        const key = source.readInt();
        if (keys.has(key)) (flat ??= []).push(key, decodeValue(source));
        else skipValue(source);
      }
    }
    return flat;
  };
}

function mapDecoder(decode: Decode): Decode {
  return (source) => {
    const entries: { [key: string]: AvroValue } = {};
    for (let count = readBlockCount(source); count > 0; count = readBlockCount(source)) {
      for (let index = 0; index < count; index++) entries[source.readString()] = decode(source);
    }
    return entries;
  };
}

/** A negative count is followed by the block's size in bytes, which is of no use here. */
function readBlockCount(source: ByteSource): number {
  const count = source.readInt();
  if (count >= 0) return count;
  source.readLong();
  return -count;
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}
