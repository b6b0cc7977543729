import type { AvroValue } from './schema.ts';

/** A decoded record; see `recordOf`. */
export interface AvroRow {
  boolean(id: number): boolean;
  int(id: number): number;
  optionalInt(id: number): number | undefined;
  long(id: number): bigint;
  optionalLong(id: number): bigint | undefined;
  string(id: number): string;
  optionalString(id: number): string | undefined;
  optionalBytes(id: number): Uint8Array | undefined;
  optionalArray(id: number): AvroValue[] | undefined;
  row(id: number): AvroRow;
  /** The raw value. */
  value(id: number): AvroValue | undefined;
}

/** Typed access to a decoded record by Iceberg field id. Its methods throw TypeError for a value of another type. */
export function recordOf(value: AvroValue | undefined): AvroRow {
  if (!isObject(value)) throw new TypeError('An Avro record was expected.');
  const get = (id: number): AvroValue | undefined => value[String(id)];
  const optionalLong = (id: number): bigint | undefined => {
    const item = get(id) ?? undefined;
    if (typeof item === 'number') return BigInt(item);
    return item === undefined || typeof item === 'bigint' ? item : wrong(id);
  };
  const optionalInt = (id: number): number | undefined => {
    const item = get(id) ?? undefined;
    if (typeof item === 'bigint') return Number(item);
    return item === undefined || typeof item === 'number' ? item : wrong(id);
  };
  const optionalString = (id: number): string | undefined => {
    const item = get(id) ?? undefined;
    return item === undefined || typeof item === 'string' ? item : wrong(id);
  };
  return {
    optionalInt,
    optionalLong,
    optionalString,
    boolean: (id) => get(id) === true,
    int: (id) => optionalInt(id) ?? wrong(id),
    long: (id) => optionalLong(id) ?? wrong(id),
    string: (id) => optionalString(id) ?? wrong(id),
    row: (id) => recordOf(get(id)),
    value: get,
    optionalBytes: (id) => {
      const item = get(id) ?? undefined;
      return item === undefined || item instanceof Uint8Array ? item : wrong(id);
    },
    optionalArray: (id) => {
      const item = get(id) ?? undefined;
      return item === undefined || Array.isArray(item) ? item : wrong(id);
    },
  };
}

function isObject(value: AvroValue | undefined): value is { [field: string]: AvroValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function wrong(id: number): never {
  throw new TypeError(`Field ${id} is missing or has another type.`);
}
