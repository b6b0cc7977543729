import { describe, expect, test } from 'vitest';
import { decodeAvroFile, encodeAvroFile } from '../../src/avro/container.ts';
import { ByteSink } from '../../src/avro/bytes.ts';
import type { AvroRecord } from '../../src/avro/schema.ts';

const SCHEMA: AvroRecord = {
  type: 'record',
  name: 'row',
  fields: [
    { name: 'id', type: 'long', 'field-id': 1 },
    { name: 'count', type: 'int', 'field-id': 2 },
    { name: 'text', type: ['null', 'string'], default: null, 'field-id': 3 },
    { name: 'flag', type: 'boolean', 'field-id': 4 },
    { name: 'ratio', type: 'double', 'field-id': 5 },
    { name: 'half', type: 'float', 'field-id': 6 },
    { name: 'raw', type: 'bytes', 'field-id': 7 },
    { name: 'fixed', type: { type: 'fixed', name: 'f', size: 2 }, 'field-id': 8 },
    { name: 'list', type: { type: 'array', items: 'long', 'element-id': 10 }, 'field-id': 9 },
  ],
};

const EXTREMES = [0n, 1n, -1n, 63n, -64n, 64n, 2n ** 31n, -(2n ** 31n), 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)];

const row = (id: bigint) => ({
  id,
  count: Number(BigInt.asIntN(32, id)),
  text: id > 0n ? `ü🐟${id}` : undefined,
  flag: id > 0n,
  ratio: 0.1,
  half: 0.5,
  raw: Uint8Array.of(1, 2, 3),
  fixed: Uint8Array.of(8, 9),
  list: [id, -id - 1n],
});

test('every primitive comes back as it was written, keyed by field id', () => {
  const bytes = encodeAvroFile(SCHEMA, { content: 'data' }, EXTREMES.map(row));
  const { header, records: lazy } = decodeAvroFile(bytes, 'rows.avro');
  const records = [...lazy];
  expect(header.get('content')).toBe('data');
  expect(JSON.parse(header.get('avro.schema') ?? '')).toEqual(SCHEMA);
  const expected = EXTREMES.map(row).map((value) => ({
    1: value.id,
    2: value.count,
    3: value.text ?? null,
    4: value.flag,
    5: value.ratio,
    6: value.half,
    7: value.raw,
    8: value.fixed,
    9: value.list,
  }));
  expect(records).toEqual(expected);
});

test('many records are split into blocks and none is lost', () => {
  const ids = Array.from({ length: 20_000 }, (_, index) => BigInt(index));
  const records = [...decodeAvroFile(encodeAvroFile(SCHEMA, {}, ids.map(row)), 'rows.avro').records];
  expect(records.map((record) => (record as { 1: bigint })[1])).toEqual(ids);
});

describe('a foreign writer may', () => {
  test('leave blocks uncompressed, order and name fields as it likes, and repeat named types', () => {
    const fixed = { type: 'fixed', name: 'f', size: 1 };
    const schema = {
      type: 'record',
      name: 'other',
      fields: [
        { name: 'b', type: fixed, 'field-id': 2 },
        { name: 'a', type: ['int', 'null'], 'field-id': 1 },
        { name: 'extra', type: { type: 'map', values: 'f' } },
        { name: 'list', type: { type: 'array', items: 'int' } },
      ],
    };
    const file = new ByteSink();
    file.writeRaw(Uint8Array.of(0x4f, 0x62, 0x6a, 1));
    file.writeLong(1);
    file.writeString('avro.schema');
    file.writeString(JSON.stringify(schema));
    file.writeLong(0);
    const sync = new Uint8Array(16).fill(7);
    file.writeRaw(sync);
    // One row: b = ff, a = 5, extra = {k: 01}, list = [3] in a block with a negative count and its size.
    const data = Uint8Array.of(0xff, 0, 10, 2, 2, 0x6b, 1, 0, 1, 2, 6, 0);
    file.writeLong(1);
    file.writeBytes(data);
    file.writeRaw(sync);
    expect([...decodeAvroFile(file.take(), 'other.avro').records]).toEqual([
      { 2: Uint8Array.of(255), 1: 5, extra: { k: Uint8Array.of(1) }, list: [3] },
    ]);
  });
});

test.each([
  ['empty', new Uint8Array()],
  ['of another kind', Buffer.from('PAR1 something else')],
  ['cut short', encodeAvroFile(SCHEMA, {}, EXTREMES.map(row)).slice(0, -20)],
])('a file that is %s is named as unreadable', (_what, bytes) => {
  expect(() => [...decodeAvroFile(bytes, '/x/m.avro').records]).toThrow(
    expect.objectContaining({ code: 'invalid_manifest', message: '/x/m.avro is not a readable Avro file.' }),
  );
});

test('a value of another type is refused rather than written wrongly', () => {
  expect(() => encodeAvroFile(SCHEMA, {}, [{ ...row(1n), id: 5 }])).toThrow(
    'A value of type number cannot be written as Avro long.',
  );
});
