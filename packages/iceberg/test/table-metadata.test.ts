import { describe, expect, test } from 'vitest';
import {
  currentSchema,
  newTableMetadata,
  parseExactJson,
  parseTableMetadata,
  serializeTableMetadata,
  snapshotOfRef,
} from '../src/index.ts';
import { ORDER_SCHEMA } from './warehouse.ts';

// As another writer would put it: fields of later spec versions, a sort order, statistics, a tag.
const FOREIGN = {
  'format-version': 2,
  'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1',
  location: 's3://bucket/test/location',
  'last-sequence-number': 34,
  'last-updated-ms': 1602638573590,
  'last-column-id': 3,
  'current-schema-id': 1,
  schemas: [
    {
      type: 'struct',
      'schema-id': 1,
      'identifier-field-ids': [1],
      fields: [{ id: 1, name: 'x', required: true, type: 'long', 'initial-default': 5 }],
    },
  ],
  'default-spec-id': 0,
  'partition-specs': [
    { 'spec-id': 0, fields: [{ name: 'x', transform: 'identity', 'source-id': 1, 'field-id': 1000 }] },
  ],
  'last-partition-id': 1000,
  'default-sort-order-id': 3,
  'sort-orders': [
    {
      'order-id': 3,
      fields: [{ transform: 'bucket[4]', 'source-id': 1, direction: 'desc', 'null-order': 'nulls-last' }],
    },
  ],
  properties: { 'read.split.target.size': '134217728' },
  'current-snapshot-id': 'long:3055729675574597004',
  snapshots: [
    {
      'snapshot-id': 'long:3055729675574597004',
      'timestamp-ms': 1555100955770,
      'sequence-number': 1,
      summary: { operation: 'append' },
      'manifest-list': 's3://a/b/2.avro',
      'schema-id': 1,
      'key-id': 'k',
    },
  ],
  'snapshot-log': [{ 'snapshot-id': 'long:3055729675574597004', 'timestamp-ms': 1555100955770 }],
  'metadata-log': [{ 'metadata-file': 's3://bucket/metadata/v1.json', 'timestamp-ms': 1515100 }],
  refs: {
    main: { 'snapshot-id': 'long:3055729675574597004', type: 'branch' },
    tag: { 'snapshot-id': 'long:3055729675574597004', type: 'tag', 'max-ref-age-ms': 5 },
  },
  statistics: [{ 'snapshot-id': 'long:3055729675574597004', 'file-size-in-bytes': 413 }],
  'something-new': { big: 'long:12345678901234567890' },
};

// 64-bit numbers do not fit into a literal: they are strings above and numbers in the text.
const toText = (json: object) => JSON.stringify(json).replaceAll(/"long:(\d+)"/g, '$1');
const FOREIGN_TEXT = toText(FOREIGN);

describe('table metadata', () => {
  test('of a foreign writer is written back with all its fields and digits', () => {
    const metadata = parseTableMetadata(FOREIGN_TEXT);
    expect(metadata['current-snapshot-id']).toBe(3055729675574597004n);
    expect(snapshotOfRef(metadata, 'tag')?.['manifest-list']).toBe('s3://a/b/2.avro');
    expect(currentSchema(metadata)['schema-id']).toBe(1);
    expect(parseExactJson(serializeTableMetadata(metadata))).toEqual(parseExactJson(FOREIGN_TEXT));
  });

  test('of a new table has no snapshot, -1 in the file', () => {
    const metadata = newTableMetadata({ location: '/t', schema: ORDER_SCHEMA });
    const text = serializeTableMetadata(metadata);
    expect(text).toContain('"current-snapshot-id":-1');
    expect(parseTableMetadata(text)).toEqual(metadata);
  });

  test('of version 1 is brought into the shape of version 2, to be read only', () => {
    const {
      schemas,
      'partition-specs': specs,
      'table-uuid': _uuid,
      refs: _refs,
      'last-sequence-number': _last,
      ...rest
    } = FOREIGN;
    const old = {
      ...rest,
      'format-version': 1,
      schema: { ...schemas[0], 'schema-id': undefined },
      'partition-spec': specs[0]?.fields,
      'current-schema-id': undefined,
    };
    const metadata = parseTableMetadata(toText(old));
    expect(metadata.schemas[0]).toMatchObject({ 'schema-id': 0, type: 'struct' });
    expect(metadata['partition-specs']).toEqual([{ 'spec-id': 0, fields: specs[0]?.fields }]);
    expect(metadata.refs['main']?.['snapshot-id']).toBe(3055729675574597004n);
    expect(() => serializeTableMetadata(metadata)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  test.each([
    ['is not JSON', '{', 'Table metadata is not JSON.'],
    ['is a list', '[]', 'Table metadata is not a JSON object.'],
    ['is of the future', '{"format-version":9}', 'Table metadata has format version 9; 1, 2 and 3 can be read.'],
    ['has no uuid', '{"format-version":2}', 'Table metadata: "table-uuid" is not of type string as the spec demands.'],
  ])('that %s is refused', (_what, text, message) => {
    expect(() => parseTableMetadata(text)).toThrow(expect.objectContaining({ code: 'invalid_metadata', message }));
  });
});
