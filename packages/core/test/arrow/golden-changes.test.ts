import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { batchToRecords } from '../../src/arrow/apache-arrow.ts';
import { CHANGE_COLUMNS, changeBatchColumns, changeToRow, rowToChange } from '../../src/arrow/index.ts';
import type { Column } from '../../src/index.ts';
import type { Message } from '../../src/protocol/messages.ts';
import { encode } from './golden-batch.ts';

const FILE = new URL('golden-changes.json', import.meta.url);
/** A SCHEMA, changes as RECORDs of it, and the same as the bytes behind a BATCH of kind `changes`, in base64. */
type Golden = { schema: Message<'SCHEMA'>; records: Message<'RECORD'>[]; batch: string };

test('changes as RECORDs and as a BATCH are the golden vector, each made of the other', () => {
  const golden = JSON.parse(readFileSync(FILE, 'utf8')) as Golden;
  const { columns, primaryKey } = golden.schema;
  const rows = golden.records.map((record) => changeToRow(record, columns));
  const batch = encode(changeBatchColumns(columns as Column[], primaryKey), rows).toString('base64');
  if (process.env['FJORD_UPDATE_GOLDEN'] === '1') {
    writeFileSync(FILE, `${JSON.stringify({ ...golden, batch }, null, 2)}\n`);
    golden.batch = batch;
  }
  expect(batch).toBe(golden.batch);
  const all = [...columns, ...CHANGE_COLUMNS];
  const back = [...batchToRecords([Buffer.from(golden.batch, 'base64')], all)].map((row) => rowToChange(row, columns));
  const said = golden.records.map((record) => {
    const { type: _, stream: __, ...change } = record;
    return change;
  });
  expect(back.map((change) => JSON.parse(JSON.stringify(change)))).toMatchObject(said);
});
