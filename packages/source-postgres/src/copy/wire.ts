/** How the bytes of a single value in COPY's binary format are to be read; named for the type whose send function wrote them. */
export type ScalarWire =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'oid'
  | 'xid8'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'unbounded numeric'
  | 'money'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'bytea'
  | 'jsonb'
  | 'text'
  /** An address as text: with the bits of its network always, which its own output leaves out where they are all. */
  | 'inet text'
  | 'hstore'
  | 'vector'
  | 'halfvec'
  | PrintedWire;

/** Of types that become text: their binary form, to be printed by us. */
export type PrintedWire = 'printed numeric' | 'printed interval' | 'printed inet' | 'printed macaddr';

/** An array becomes lists, `dimensions` deep. A rebuilt one comes as a record of its lengths and its elements in one row. */
export type ArrayWire = {
  kind: 'array';
  element: Wire;
  dimensions: number;
  isRebuilt: boolean;
  /** Between elements where they are printed; a comma if absent. */
  delimiter?: string;
};

/** A composite: its fields in order, each with the oid that its bytes must name, if that is known. */
export type StructWire = { kind: 'struct'; fields: { wire: Wire; oid: number | undefined }[] };

/** How the bytes of a value, and of the values in it, are to be read. */
export type Wire = ScalarWire | ArrayWire | StructWire;
