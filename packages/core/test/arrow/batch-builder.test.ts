import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { appendRecord, arrowField, BatchBuilder, replaceSchemaMessage, schemaMessage } from '../../src/arrow/index.ts';
import { giveBackMemory } from '../../src/protocol/body-memory.ts';
import { GOLDEN_COLUMNS, goldenBatch } from './golden-batch.ts';

const ID = [{ name: 'id', type: 'long', nullable: false }];
const TEXT = [{ name: 'text', type: 'string', nullable: true }];

test('the golden stream is what the wire carries', () => {
  const golden = readFileSync(new URL('golden-batch.base64', import.meta.url), 'utf8');
  expect(
    goldenBatch()
      .toString('base64')
      .replaceAll(/.{1,120}/g, '$&\n'),
  ).toBe(golden);
});

test('a body is one piece that owns its memory, so that it can be transferred', () => {
  const builder = new BatchBuilder(ID);
  appendRecord(builder, { id: '1' });
  const first = builder.finish();
  expect(first.body).toHaveLength(1);
  expect(first.body[0]?.byteOffset).toBe(0);
  expect(first.body[0]?.byteLength).toBe(first.body[0]?.buffer.byteLength);
  structuredClone(first.body, { transfer: first.body.map(({ buffer }) => buffer as ArrayBuffer) });
  appendRecord(builder, { id: '2' });
  expect(
    tableFromIPC(Buffer.concat(builder.finish().body))
      .toArray()
      .map(({ id }) => id),
  ).toEqual([2n]);
});

test('memory of an older batch leaves no trace', () => {
  const builder = new BatchBuilder(TEXT);
  const fill = (letter: string) => {
    for (let row = 0; row < 3; row++) appendRecord(builder, { text: letter.repeat(30_001) });
    return builder.finish().body[0] ?? new Uint8Array();
  };
  const fresh = Buffer.from(fill('b'));
  const old = fill('a');
  const { buffer } = old;
  old.fill(0xff);
  giveBackMemory([buffer]);
  const reused = fill('b');
  expect(reused.buffer).toBe(buffer);
  expect(Buffer.compare(reused, fresh)).toBe(0);
});

test('a builder that is used again has forgotten values, nulls and bits', () => {
  const builder = new BatchBuilder(GOLDEN_COLUMNS, { capacityRows: 1 });
  appendRecord(builder, { boolean: true, string: 'long text', 'list<int>': [1, 2, 3] });
  builder.finish();
  appendRecord(builder, { boolean: false, string: '', 'list<int>': [] });
  const [row] = tableFromIPC(Buffer.concat(builder.finish().body)).toArray();
  expect(row.boolean).toBe(false);
  expect(row.string).toBe('');
  expect(row['list<int>'].length).toBe(0);
});

test('byteLength grows with what records bring', () => {
  const builder = new BatchBuilder(TEXT);
  for (let row = 0; row < 10; row++) appendRecord(builder, { text: 'x'.repeat(100_000) });
  expect(builder.byteLength).toBeGreaterThanOrEqual(1_000_000);
  expect(builder.byteLength).toBeLessThan(1_001_000);
});

test('a batch of no rows and one of nulls only are whole', () => {
  const builder = new BatchBuilder(GOLDEN_COLUMNS);
  expect(tableFromIPC(Buffer.concat(builder.finish().body)).numRows).toBe(0);
  for (let row = 0; row < 20; row++) appendRecord(builder, {});
  const table = tableFromIPC(Buffer.concat(builder.finish().body));
  expect(table.numRows).toBe(20);
  expect(table.schema.fields.map((_, index) => table.getChildAt(index)?.nullCount)).toEqual(
    GOLDEN_COLUMNS.map(() => 20),
  );
});

test('a schema message is replaced without touching the batch', () => {
  const builder = new BatchBuilder(ID);
  appendRecord(builder, { id: '5' });
  const [body = new Uint8Array()] = builder.finish().body;
  const plain = ID.map(arrowField);
  const marked = plain.map((field) => ({ ...field, metadata: { 'PARQUET:field_id': '1' } }));
  const pieces = replaceSchemaMessage(body, schemaMessage(marked));
  const table = tableFromIPC(Buffer.concat(pieces));
  expect(table.schema.fields[0]?.metadata.get('PARQUET:field_id')).toBe('1');
  expect(table.toArray().map(({ id }) => id)).toEqual([5n]);
  expect(pieces.every(({ byteLength }) => byteLength % 8 === 0)).toBe(true);
  expect(replaceSchemaMessage(body, schemaMessage(plain))[1]?.buffer).toBe(body.buffer);
});
