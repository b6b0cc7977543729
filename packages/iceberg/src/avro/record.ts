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
  return new DecodedRow(value);
}

class DecodedRow implements AvroRow {
  readonly #record: { [field: string]: AvroValue };

  constructor(record: { [field: string]: AvroValue }) {
    this.#record = record;
  }

  value(id: number): AvroValue | undefined {
    return this.#record[id];
  }

  boolean(id: number): boolean {
    return this.value(id) === true;
  }

  int(id: number): number {
    return this.optionalInt(id) ?? wrong(id);
  }

  optionalInt(id: number): number | undefined {
    const item = this.value(id) ?? undefined;
    if (typeof item === 'bigint') return Number(item);
    return item === undefined || typeof item === 'number' ? item : wrong(id);
  }

  long(id: number): bigint {
    return this.optionalLong(id) ?? wrong(id);
  }

  optionalLong(id: number): bigint | undefined {
    const item = this.value(id) ?? undefined;
    if (typeof item === 'number') return BigInt(item);
    return item === undefined || typeof item === 'bigint' ? item : wrong(id);
  }

  string(id: number): string {
    return this.optionalString(id) ?? wrong(id);
  }

  optionalString(id: number): string | undefined {
    const item = this.value(id) ?? undefined;
    return item === undefined || typeof item === 'string' ? item : wrong(id);
  }

  optionalBytes(id: number): Uint8Array | undefined {
    const item = this.value(id) ?? undefined;
    return item === undefined || item instanceof Uint8Array ? item : wrong(id);
  }

  optionalArray(id: number): AvroValue[] | undefined {
    const item = this.value(id) ?? undefined;
    return item === undefined || Array.isArray(item) ? item : wrong(id);
  }

  row(id: number): AvroRow {
    return recordOf(this.value(id));
  }
}

function isObject(value: AvroValue | undefined): value is { [field: string]: AvroValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function wrong(id: number): never {
  throw new TypeError(`Field ${id} is missing or has another type.`);
}
