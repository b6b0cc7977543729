import { describe, expect, test } from 'vitest';
import {
  type Snapshot,
  type TableMetadata,
  type TableUpdate,
  applyUpdates,
  createSchema,
  newTableMetadata,
} from '../src/index.ts';
import { ORDER_SCHEMA } from './warehouse.ts';

const EMPTY = newTableMetadata({ location: '/t', schema: ORDER_SCHEMA, properties: { a: '1', b: '2' } });

const snapshot = (id: bigint, sequenceNumber: bigint, parent?: bigint): Snapshot => ({
  'snapshot-id': id,
  'sequence-number': sequenceNumber,
  'timestamp-ms': EMPTY['last-updated-ms'] + Number(sequenceNumber),
  'manifest-list': `/t/${id}.avro`,
  ...(parent === undefined ? {} : { 'parent-snapshot-id': parent }),
});

const publish = (id: bigint, sequenceNumber: bigint, branch = 'main'): TableUpdate[] => [
  { action: 'add-snapshot', snapshot: snapshot(id, sequenceNumber) },
  { action: 'set-snapshot-ref', 'ref-name': branch, type: 'branch', 'snapshot-id': id },
];

describe('applyUpdates', () => {
  test.each<[string, TableUpdate[], Partial<TableMetadata>]>([
    ['assigns a uuid', [{ action: 'assign-uuid', uuid: 'u' }], { 'table-uuid': 'u' }],
    ['moves the table', [{ action: 'set-location', location: '/x' }], { location: '/x' }],
    [
      'sets properties',
      [{ action: 'set-properties', updates: { b: '3', c: '4' } }],
      { properties: { a: '1', b: '3', c: '4' } },
    ],
    ['removes properties', [{ action: 'remove-properties', removals: ['a', 'z'] }], { properties: { b: '2' } }],
    ['keeps the format version', [{ action: 'upgrade-format-version', 'format-version': 2 }], { 'format-version': 2 }],
    [
      'adds a spec and makes it the default',
      [
        {
          action: 'add-spec',
          spec: { 'spec-id': -1, fields: [{ 'source-id': 1, 'field-id': 1000, name: 'id', transform: 'identity' }] },
        },
        { action: 'set-default-spec', 'spec-id': -1 },
      ],
      { 'default-spec-id': 1, 'last-partition-id': 1000 },
    ],
    [
      'adds a sort order and makes it the default',
      [
        { action: 'add-sort-order', 'sort-order': { 'order-id': 1, fields: [] } },
        { action: 'set-default-sort-order', 'sort-order-id': -1 },
      ],
      {
        'default-sort-order-id': 1,
        'sort-orders': [
          { 'order-id': 0, fields: [] },
          { 'order-id': 1, fields: [] },
        ],
      },
    ],
  ])('%s', (_what, updates, expected) => {
    expect(applyUpdates(EMPTY, updates)).toMatchObject(expected);
  });

  test('adds a schema with a free id, and finds one that is there already', () => {
    const wider = createSchema([
      ...ORDER_SCHEMA.fields.map(({ name }) => ({ name, type: 'string' as const })),
      { name: 'new', type: 'int' },
    ]);
    const added = applyUpdates(EMPTY, [
      { action: 'add-schema', schema: wider },
      { action: 'set-current-schema', 'schema-id': -1 },
    ]);
    expect(added).toMatchObject({ 'current-schema-id': 1, 'last-column-id': 3 });
    expect(added.schemas.map((schema) => schema['schema-id'])).toEqual([0, 1]);
    const back = applyUpdates(added, [
      { action: 'add-schema', schema: { ...ORDER_SCHEMA, 'schema-id': 7 } },
      { action: 'set-current-schema', 'schema-id': -1 },
    ]);
    expect(back['current-schema-id']).toBe(0);
    expect(back.schemas).toHaveLength(2);
  });

  test('publishes snapshots on branches; only main moves the current snapshot and the log', () => {
    const metadata = applyUpdates(EMPTY, [...publish(5n, 1n), ...publish(6n, 2n, 'side')]);
    expect(metadata['current-snapshot-id']).toBe(5n);
    expect(metadata['last-sequence-number']).toBe(2n);
    expect(metadata['snapshot-log']).toEqual([{ 'snapshot-id': 5n, 'timestamp-ms': EMPTY['last-updated-ms'] + 1 }]);
    expect(metadata.refs).toEqual({
      main: { 'snapshot-id': 5n, type: 'branch' },
      side: { 'snapshot-id': 6n, type: 'branch' },
    });
    expect(EMPTY.snapshots).toEqual([]);
  });

  test('removes snapshots with the refs to them and the history before them', () => {
    const three = applyUpdates(EMPTY, [
      ...publish(1n, 1n),
      ...publish(2n, 2n),
      ...publish(3n, 3n),
      ...publish(4n, 4n, 'side'),
    ]);
    const metadata = applyUpdates(three, [{ action: 'remove-snapshots', 'snapshot-ids': [2n, 4n] }]);
    expect(metadata.snapshots.map((item) => item['snapshot-id'])).toEqual([1n, 3n]);
    expect(metadata['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([3n]);
    expect(Object.keys(metadata.refs)).toEqual(['main']);
    const without = applyUpdates(three, [{ action: 'remove-snapshot-ref', 'ref-name': 'main' }]);
    expect(without['current-snapshot-id']).toBeUndefined();
  });

  test.each<[string, TableUpdate[]]>([
    ['a schema that is not there', [{ action: 'set-current-schema', 'schema-id': 9 }]],
    ['the last added schema when none was', [{ action: 'set-current-schema', 'schema-id': -1 }]],
    [
      'a ref to an unknown snapshot',
      [{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 1n }],
    ],
    ['a snapshot twice', [...publish(1n, 1n), ...publish(1n, 2n)]],
    ['a sequence number that does not rise', [...publish(1n, 1n), ...publish(2n, 1n)]],
    ['a lower format version', [{ action: 'upgrade-format-version', 'format-version': 1 }]],
  ])('refuses %s', (_what, updates) => {
    expect(() => applyUpdates(EMPTY, updates)).toThrow(expect.objectContaining({ code: 'invalid_metadata' }));
  });
});
