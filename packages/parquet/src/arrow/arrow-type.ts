/** Units of times, as Arrow numbers them: seconds to nanoseconds. */
export type TimeUnit = 'second' | 'millisecond' | 'microsecond' | 'nanosecond';

/** An Arrow type as far as Parquet has a form for it (Arrow columnar format; Schema.fbs). */
export type ArrowType =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'int'; readonly bitWidth: 8 | 16 | 32 | 64; readonly isSigned: boolean }
  | { readonly kind: 'float'; readonly bitWidth: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number; readonly bitWidth: number }
  | { readonly kind: 'date'; readonly unit: 'day' | 'millisecond' }
  | { readonly kind: 'time'; readonly unit: TimeUnit; readonly bitWidth: 32 | 64 }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly isUtc: boolean }
  | { readonly kind: 'duration' }
  | { readonly kind: 'utf8' | 'binary'; readonly isLarge: boolean }
  | { readonly kind: 'fixed'; readonly byteWidth: number }
  | { readonly kind: 'list' | 'map'; readonly isLarge: boolean }
  | { readonly kind: 'fixed-list'; readonly length: number }
  | { readonly kind: 'struct' };

/** How a dictionary-encoded column refers to its values. */
export type DictionaryEncoding = { readonly id: number; readonly index: Extract<ArrowType, { kind: 'int' }> };

/** A field of an Arrow schema. `metadata` holds, among others, `PARQUET:field_id` and `ARROW:extension:name`. */
export type ArrowField = {
  readonly name: string;
  readonly isNullable: boolean;
  readonly type: ArrowType;
  readonly children: readonly ArrowField[];
  readonly dictionary: DictionaryEncoding | undefined;
  readonly metadata: ReadonlyMap<string, string>;
};
