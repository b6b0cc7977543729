/** Types of Thrift's binary protocol, by their code on the wire. */
export const THRIFT = {
  stop: 0,
  boolean: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
} as const;

/** A value that knows its Thrift type, so that what was read can be written back whole, fields that nobody knows included. */
export type ThriftValue =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'byte' | 'i16' | 'i32' | 'double'; readonly value: number }
  | { readonly type: 'i64'; readonly value: bigint }
  | { readonly type: 'string'; readonly value: Buffer }
  | { readonly type: 'struct'; readonly fields: ThriftStruct }
  | { readonly type: 'list' | 'set'; readonly of: ThriftType; readonly items: readonly ThriftValue[] }
  | { readonly type: 'map'; readonly of: readonly [ThriftType, ThriftType]; readonly entries: readonly ThriftEntry[] };

/** The name of a type that a value can have. */
export type ThriftType = ThriftValue['type'];

/** A key and its value. */
export type ThriftEntry = readonly [key: ThriftValue, value: ThriftValue];

/** The fields of a struct by their numbers in the interface definition. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

/** A text. */
export function text(value: string): ThriftValue {
  return { type: 'string', value: Buffer.from(value) };
}

/** A 32-bit integer, or an enum. */
export function int(value: number): ThriftValue {
  return { type: 'i32', value };
}

/** A struct of the fields that are not undefined. */
export function struct(fields: Readonly<Record<number, ThriftValue | undefined>>): ThriftValue {
  return { type: 'struct', fields: fieldsOf(fields) };
}

/** The fields that are not undefined. */
export function fieldsOf(fields: Readonly<Record<number, ThriftValue | undefined>>): ThriftStruct {
  return new Map(
    Object.entries(fields).flatMap(([number, value]) =>
      value === undefined ? [] : [[Number(number), value] as const],
    ),
  );
}

/** A list of values of one type. */
export function list(of: ThriftType, items: readonly ThriftValue[]): ThriftValue {
  return { type: 'list', of, items };
}

/** A map from text to text. */
export function textMap(entries: Readonly<Record<string, string>>): ThriftValue {
  const pairs = Object.entries(entries).map(([key, value]) => [text(key), text(value)] as const);
  return { type: 'map', of: ['string', 'string'], entries: pairs };
}

/** The text of a field, undefined if it is absent or none. */
export function textOf(value: ThriftValue | undefined): string | undefined {
  return value?.type === 'string' ? value.value.toString('utf8') : undefined;
}

/** The fields of a struct, none if it is absent. */
export function structOf(value: ThriftValue | undefined): ThriftStruct {
  return value?.type === 'struct' ? value.fields : new Map();
}

/** The items of a list or set, none if it is absent. */
export function itemsOf(value: ThriftValue | undefined): readonly ThriftValue[] {
  return value?.type === 'list' || value?.type === 'set' ? value.items : [];
}

/** A map from text to text, empty if it is absent. */
export function textsOf(value: ThriftValue | undefined): Record<string, string> {
  if (value?.type !== 'map') return {};
  return Object.fromEntries(value.entries.map(([key, item]) => [textOf(key) ?? '', textOf(item) ?? '']));
}
