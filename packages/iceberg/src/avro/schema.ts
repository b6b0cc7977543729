/** An Avro schema as JSON, with the attributes that Iceberg adds (spec: Appendix A, Avro). */
export type AvroSchema = string | readonly AvroSchema[] | AvroRecord | AvroArray | AvroMap | AvroFixed | AvroPrimitive;

/** A record; its fields carry Iceberg field ids. */
export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly AvroField[];
}

/** A field of a record. */
export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly 'field-id'?: number;
  readonly default?: null;
}

/** An array, or with `logicalType: 'map'` a map whose keys are not strings. */
export interface AvroArray {
  readonly type: 'array';
  readonly items: AvroSchema;
  readonly 'element-id'?: number;
  readonly logicalType?: 'map';
}

/** A map with string keys. */
export interface AvroMap {
  readonly type: 'map';
  readonly values: AvroSchema;
}

/** Bytes of a fixed length. */
export interface AvroFixed {
  readonly type: 'fixed';
  readonly name: string;
  readonly size: number;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

/** A primitive with a logical type. */
export interface AvroPrimitive {
  readonly type: 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';
  readonly logicalType?: string;
  readonly 'adjust-to-utc'?: boolean;
}

/** A value read from Avro: long is bigint, arrays of records with int keys stay arrays. */
export type AvroValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | AvroValue[]
  | { [field: string]: AvroValue };
