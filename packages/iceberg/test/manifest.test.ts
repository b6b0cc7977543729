import { temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { decodeAvroFile } from '../src/avro/container.ts';
import {
  type DataFile,
  type ManifestEntry,
  createSchema,
  encodeValue,
  openFileIO,
  readManifest,
  readManifestList,
} from '../src/index.ts';
import { writeManifest } from '../src/manifest.ts';
import { writeManifestList } from '../src/manifest-list.ts';

const SCHEMA = createSchema([
  { name: 'id', type: 'long', required: true },
  { name: 'day "x".ü', type: 'timestamptz' },
  { name: 'price', type: 'decimal(10, 2)' },
  { name: 'key', type: 'uuid' },
]);

const SPEC = {
  'spec-id': 3,
  fields: [
    { 'source-id': 2, 'field-id': 1000, name: 'day "x".ü_day', transform: 'day' },
    { 'source-id': 3, 'field-id': 1001, name: 'price', transform: 'identity' },
    { 'source-id': 4, 'field-id': 1002, name: 'key', transform: 'identity' },
    { 'source-id': 1, 'field-id': 1003, name: 'bucket', transform: 'bucket[16]' },
  ],
};

const UUID = 'f79c3e09-677c-4bbd-a479-3f349cb785e7';

const FULL: DataFile = {
  content: 'data',
  filePath: 's3://b/🐟.parquet',
  fileFormat: 'PARQUET',
  partition: new Map<number, number | bigint | string | null>([
    [1000, -3],
    [1001, -1420n],
    [1002, UUID],
    [1003, 7],
  ]),
  recordCount: 2n ** 40n,
  fileSizeInBytes: 5n,
  columnSizes: new Map([[1, 8n]]),
  valueCounts: new Map([
    [1, 2n],
    [2, 2n],
  ]),
  nullValueCounts: new Map([[2, 2n]]),
  nanValueCounts: new Map([[3, 0n]]),
  lowerBounds: new Map([[1, encodeValue('long', -1n)]]),
  upperBounds: new Map([[1, encodeValue('long', 9n)]]),
  keyMetadata: Uint8Array.of(1),
  splitOffsets: [4n, 2n ** 33n],
  sortOrderId: 1,
};

const PLAIN: DataFile = {
  content: 'data',
  filePath: '/plain.parquet',
  fileFormat: 'PARQUET',
  partition: new Map([
    [1000, null],
    [1001, null],
    [1002, null],
    [1003, null],
  ]),
  recordCount: 1n,
  fileSizeInBytes: 1n,
};

test('a manifest and its list come back as they were written, sequence numbers inherited', async () => {
  await using folder = await temporaryFolder();
  const io = openFileIO(folder.path);
  const entries: ManifestEntry[] = [
    { status: 'added', snapshotId: 77n, sequenceNumber: undefined, fileSequenceNumber: undefined, file: FULL },
    { status: 'existing', snapshotId: 5n, sequenceNumber: 4n, fileSequenceNumber: 4n, file: PLAIN },
    { status: 'deleted', snapshotId: 77n, sequenceNumber: 2n, fileSequenceNumber: 2n, file: PLAIN },
  ];
  const location = `${folder.path}/metadata/m.avro`;
  const written = await writeManifest(io, {
    schema: SCHEMA,
    spec: SPEC,
    entries,
    location,
    snapshotId: 77n,
    sequenceNumber: 9n,
    version: 2,
  });
  const list = {
    'snapshot-id': 77n,
    'sequence-number': 9n,
    'timestamp-ms': 1,
    'manifest-list': `${folder.path}/metadata/list.avro`,
  };
  await writeManifestList(io, list, { manifests: [written], version: 2 });

  const [manifest, ...more] = await readManifestList(io, list);
  expect(more).toEqual([]);
  expect(manifest).toEqual({
    path: location,
    length: BigInt((await io.read(location)).length),
    specId: 3,
    content: 'data',
    sequenceNumber: 9n,
    minSequenceNumber: 4n,
    addedSnapshotId: 77n,
    addedFiles: 1,
    existingFiles: 1,
    deletedFiles: 1,
    addedRows: 2n ** 40n,
    existingRows: 1n,
    deletedRows: 1n,
    partitions: [
      {
        containsNull: true,
        containsNan: false,
        lowerBound: encodeValue('date', -3),
        upperBound: encodeValue('date', -3),
      },
      {
        containsNull: true,
        containsNan: false,
        lowerBound: encodeValue('decimal(10, 2)', -1420n),
        upperBound: encodeValue('decimal(10, 2)', -1420n),
      },
      {
        containsNull: true,
        containsNan: false,
        lowerBound: encodeValue('uuid', UUID),
        upperBound: encodeValue('uuid', UUID),
      },
      { containsNull: true, containsNan: false, lowerBound: encodeValue('int', 7), upperBound: encodeValue('int', 7) },
    ],
  });
  const read = await readManifest(io, manifest!);
  expect(read.schema).toEqual(SCHEMA);
  expect(read.spec).toEqual(SPEC);
  expect(read.entries).toEqual([{ ...entries[0], sequenceNumber: 9n, fileSequenceNumber: 9n }, entries[1], entries[2]]);
});

test('the headers carry what the spec demands', async () => {
  await using folder = await temporaryFolder();
  const io = openFileIO(folder.path);
  const location = `${folder.path}/m.avro`;
  const file: DataFile = { ...PLAIN, content: 'position-deletes', referencedDataFile: '/plain.parquet' };
  const entries: ManifestEntry[] = [
    { status: 'added', snapshotId: 1n, sequenceNumber: undefined, fileSequenceNumber: undefined, file },
  ];
  const manifest = await writeManifest(io, {
    schema: SCHEMA,
    spec: SPEC,
    entries,
    location,
    snapshotId: 1n,
    sequenceNumber: 1n,
    version: 2,
  });
  const { header } = decodeAvroFile(await io.read(location), location);
  const { 'avro.schema': avroSchema, ...keys } = Object.fromEntries(header);
  expect(keys).toEqual({
    'avro.codec': 'deflate',
    schema: JSON.stringify(SCHEMA),
    'schema-id': '0',
    'partition-spec': JSON.stringify(SPEC.fields),
    'partition-spec-id': '3',
    'format-version': '2',
    content: 'deletes',
  });
  expect(avroSchema).toContain('"name":"day_x20_x22x_x22_x2E_xFC_day"');
  const parent = {
    'snapshot-id': 2n,
    'parent-snapshot-id': 1n,
    'sequence-number': 3n,
    'timestamp-ms': 1,
    'manifest-list': `${folder.path}/l.avro`,
  };
  await writeManifestList(io, parent, { manifests: [manifest], version: 2 });
  const list = decodeAvroFile(await io.read(parent['manifest-list']), 'list').header;
  expect(Object.fromEntries([...list].filter(([key]) => key !== 'avro.schema'))).toEqual({
    'avro.codec': 'deflate',
    'snapshot-id': '2',
    'parent-snapshot-id': '1',
    'sequence-number': '3',
    'format-version': '2',
  });
  const [entry] = (await readManifest(io, manifest)).entries;
  expect(entry?.file).toEqual(file);
});
