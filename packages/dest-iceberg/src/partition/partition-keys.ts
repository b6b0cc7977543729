import { ConnectorError } from '@fjord/core';
import {
  isPrimitive,
  type NestedField,
  type Partition,
  partitionColumns,
  type PartitionColumn,
  type PartitionSpec,
  type PrimitiveType,
  type Schema,
  type Type,
  type Value,
} from '@fjord/iceberg';
import { type ArrowRows, isValid } from './arrow-rows.ts';
import { type RowKey, rowKeys, valueOfKey } from './field-values.ts';

/** More partitions in one chunk are taken for a mistake, such as the identity of a key: each is a file at least. */
const MAX_PARTITIONS = 10_000;
/** Fields are combined in one double: exact while there are fewer values of each than this. */
const VALUES_PER_FIELD = 2 ** 20;
const NULL = 0;

/** Which rows of a stream's batches belong to which partition of its table; partitions are numbered as they come up. */
export class PartitionKeys {
  readonly #fields: KeyField[];
  readonly #stream: string;
  /** For each field but the first: the tuples that end with it. */
  readonly #tuples: Tuples[];
  readonly #partitions: Partition[] = [];

  /** `fields` are the batches' columns with the ids of the table's. Throws `unsupported` for a partition by a field of a struct. */
  constructor(
    stream: string,
    { spec, schema, fields }: { spec: PartitionSpec; schema: Schema; fields: NestedField[] },
  ) {
    this.#stream = stream;
    const topLevel = new Set(schema.fields.map(({ id }) => id));
    this.#fields = partitionColumns(spec, schema).map((column) => {
      const { 'source-id': id, name, transform } = column.field;
      if (transform !== 'void' && !topLevel.has(id)) throw notTopLevel(stream, name);
      return new KeyField(
        column,
        fields.findIndex((field) => field.id === id),
        fields.find((field) => field.id === id)?.type,
      );
    });
    this.#tuples = this.#fields.slice(1).map(() => ({ numbers: new Map(), pairs: [] }));
  }

  /** The number of each row's partition. */
  assign(rows: ArrowRows): Int32Array {
    const [first, ...more] = this.#fields;
    if (!first) throw new Error('an unpartitioned table has no partition keys');
    let numbers = first.number(rows);
    for (const [index, field] of more.entries()) numbers = combine(numbers, field.number(rows), this.#tuples[index]!);
    const count = this.#tuples.at(-1)?.pairs.length ?? first.count;
    if (count > MAX_PARTITIONS) throw this.#tooMany();
    return numbers;
  }

  /** The partition with a number that `assign` gave. */
  partition(number: number): Partition {
    this.#partitions[number] ??= new Map(this.#values(number));
    return this.#partitions[number]!;
  }

  /** From the last field to the first: a tuple's number leads to the number of its beginning. */
  #values(number: number): [number, Value | null][] {
    const values: [number, Value | null][] = [];
    let rest = number;
    for (let index = this.#fields.length - 1; index > 0; index--) {
      const field = this.#fields[index]!;
      const pair = this.#tuples[index - 1]!.pairs[rest]!;
      values.unshift([field.id, field.value(pair % VALUES_PER_FIELD)]);
      rest = Math.floor(pair / VALUES_PER_FIELD);
    }
    const first = this.#fields[0]!;
    return [[first.id, first.value(rest)], ...values];
  }

  #tooMany(): ConnectorError {
    return new ConnectorError(
      'config_invalid',
      `Stream ${this.#stream} has more than ${MAX_PARTITIONS} partitions in one chunk.`,
      { stream: this.#stream, help: 'Partition by something coarser: a bucket of the column, or a month for a day.' },
    );
  }
}

/** The tuples that end with one field: `pairs` holds the number of a tuple's beginning and of its last value, `numbers` leads back. */
type Tuples = { readonly numbers: Map<number, number>; readonly pairs: number[] };

function notTopLevel(stream: string, field: string): ConnectorError {
  const message = `The table of stream ${stream} is partitioned by a field of a struct (${field}), which cannot be written.`;
  return new ConnectorError('unsupported', message, { stream, help: 'Partition by a column of its own.' });
}

function combine(beginnings: Int32Array, values: Int32Array, tuples: Tuples): Int32Array {
  const numbers = new Int32Array(beginnings.length);
  for (let row = 0; row < numbers.length; row++) {
    const pair = beginnings[row]! * VALUES_PER_FIELD + values[row]!;
    let number = tuples.numbers.get(pair);
    if (number === undefined) {
      number = tuples.pairs.push(pair) - 1;
      tuples.numbers.set(pair, number);
    }
    numbers[row] = number;
  }
  return numbers;
}

/** One partition field: numbers its values as they come up; 0 is null. */
class KeyField {
  readonly #column: PartitionColumn;
  readonly #index: number;
  readonly #type: PrimitiveType | undefined;
  readonly #numbers = new Map<ReturnType<RowKey>, number>();
  readonly #keys: ReturnType<RowKey>[] = [];

  constructor(column: PartitionColumn, index: number, type: Type | undefined) {
    this.#column = column;
    this.#index = index;
    this.#type = type !== undefined && isPrimitive(type) ? type : undefined;
  }

  get id(): number {
    return this.#column.field['field-id'];
  }

  get count(): number {
    return this.#keys.length + 1;
  }

  /** The number of each row's value. A column that the batch does not have is null in all rows. */
  number({ length, columns }: ArrowRows): Int32Array {
    const numbers = new Int32Array(length);
    const data = columns[this.#index];
    const { transform } = this.#column.field;
    if (!data || !this.#type || transform === 'void') return numbers;
    const keyOf = rowKeys(data, this.#type, transform);
    for (let row = 0; row < length; row++) numbers[row] = isValid(data, row) ? this.#numberOf(keyOf(row)) : NULL;
    return numbers;
  }

  value(number: number): Value | null {
    const key = number === NULL ? undefined : this.#keys[number - 1];
    return key === undefined ? null : valueOfKey(key, this.#column.type);
  }

  #numberOf(key: ReturnType<RowKey>): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#keys.push(key);
    this.#numbers.set(key, number);
    return number;
  }
}
