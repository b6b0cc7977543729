import { describe, expect, test } from 'vitest';
import {
  type Catalog,
  type SnapshotChanges,
  type SwapChanges,
  type Table,
  applyUpdates,
  commitTable,
  planFiles,
  readManifestList,
  snapshotOfRef,
  stageBranchRemoval,
  stageSnapshot,
  stageSwap,
} from '../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, openWarehouse, reload } from './warehouse.ts';

const commit = (catalog: Catalog, changes: SnapshotChanges) =>
  commitTable(catalog, ORDERS, (table) => stageSnapshot(table, changes));
const swap = (catalog: Catalog, changes: SwapChanges) =>
  commitTable(catalog, ORDERS, (table) => stageSwap(table, changes));

async function openOrders() {
  const warehouse = await openWarehouse();
  await warehouse.catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
  return warehouse;
}

async function fileNames(table: Table, ref = 'main'): Promise<string[]> {
  const names: string[] = [];
  for await (const { file } of planFiles(table, { ref })) names.push(file.filePath.replace('/data/', ''));
  return names.toSorted();
}

describe('stageSnapshot', () => {
  test('appends files without touching earlier manifests', async () => {
    await using warehouse = await openOrders();
    const first = await commit(warehouse.catalog, { append: [dataFile('a')], properties: { state: '1' } });
    const second = await commit(warehouse.catalog, {
      append: [dataFile('b'), dataFile('c')],
      summary: { pipeline: 'p' },
    });
    const [before, after] = [snapshotOfRef(first.metadata), snapshotOfRef(second.metadata)];
    expect(first.metadata.properties).toEqual({ state: '1' });
    expect(after).toMatchObject({
      'parent-snapshot-id': before?.['snapshot-id'],
      'sequence-number': 2n,
      'schema-id': 0,
    });
    expect(after?.summary).toEqual({
      operation: 'append',
      pipeline: 'p',
      'added-data-files': '2',
      'added-records': '20',
      'added-files-size': '200',
      'total-data-files': '3',
      'total-records': '30',
      'total-files-size': '300',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    });
    const manifests = await readManifestList(second.io, after!);
    expect(manifests.map((manifest) => manifest.sequenceNumber)).toEqual([2n, 1n]);
    expect(manifests[1]).toEqual((await readManifestList(first.io, before!))[0]);
    expect(await fileNames(second)).toEqual(['a', 'b', 'c']);
    expect(await fileNames({ ...second, metadata: first.metadata })).toEqual(['a']);
  });

  test('removes files by predicate and keeps the sequence numbers of the others', async () => {
    await using warehouse = await openOrders();
    await commit(warehouse.catalog, { append: [dataFile('a'), dataFile('b')] });
    await commit(warehouse.catalog, { append: [dataFile('c')] });
    const table = await commit(warehouse.catalog, { remove: (file) => file.filePath === '/data/a' });
    const snapshot = snapshotOfRef(table.metadata)!;
    expect(snapshot.summary).toMatchObject({
      operation: 'overwrite',
      'deleted-data-files': '1',
      'deleted-records': '10',
      'total-data-files': '2',
    });
    const files = await Array.fromAsync(planFiles(table));
    expect(files.map(({ file, sequenceNumber }) => `${file.filePath} ${sequenceNumber}`).toSorted()).toEqual([
      '/data/b 1',
      '/data/c 2',
    ]);
    const [rewritten, kept] = await readManifestList(table.io, snapshot);
    expect(rewritten).toMatchObject({
      addedFiles: 0,
      existingFiles: 1,
      deletedFiles: 1,
      minSequenceNumber: 1n,
      sequenceNumber: 3n,
    });
    expect(kept).toMatchObject({ addedFiles: 1, sequenceNumber: 2n });
  });

  test('replaces all files, and forgets the emptied manifests one commit later', async () => {
    await using warehouse = await openOrders();
    await commit(warehouse.catalog, {
      append: [dataFile('a'), dataFile('d', { content: 'position-deletes', recordCount: 3n })],
    });
    const replaced = await commit(warehouse.catalog, { append: [dataFile('b')], remove: 'all' });
    expect(snapshotOfRef(replaced.metadata)?.summary).toMatchObject({
      operation: 'overwrite',
      'added-data-files': '1',
      'deleted-data-files': '1',
      'removed-delete-files': '1',
      'removed-position-deletes': '3',
      'total-data-files': '1',
      'total-delete-files': '0',
      'total-position-deletes': '0',
    });
    expect(await fileNames(replaced)).toEqual(['b']);
    const later = await commit(warehouse.catalog, { append: [dataFile('c')] });
    expect(await readManifestList(later.io, snapshotOfRef(later.metadata)!)).toHaveLength(2);
  });

  test('makes no snapshot when only properties change', async () => {
    await using warehouse = await openOrders();
    const staged = await stageSnapshot(await reload(warehouse.catalog), { properties: { state: '2' }, remove: 'all' });
    expect(staged).toMatchObject({
      snapshotId: undefined,
      written: [],
      updates: [{ action: 'set-properties', updates: { state: '2' } }],
    });
    const table = await commit(warehouse.catalog, { properties: { state: '2' } });
    expect(table.metadata).toMatchObject({ properties: { state: '2' }, snapshots: [] });
  });

  test('tells which files it wrote', async () => {
    await using warehouse = await openOrders();
    const table = await reload(warehouse.catalog);
    const { written } = await stageSnapshot(table, {
      append: [dataFile('a'), dataFile('d', { content: 'equality-deletes', equalityIds: [1] })],
    });
    expect(written).toHaveLength(3);
    for (const location of written) expect(await table.io.exists(location)).toBe(true);
  });

  test('refuses a table of format version 1', async () => {
    await using warehouse = await openOrders();
    const table = await reload(warehouse.catalog);
    const newer = { ...table, metadata: { ...table.metadata, 'format-version': 1 } };
    await expect(stageSnapshot(newer, { append: [dataFile('a')] })).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('a staged branch', () => {
  test('begins empty, is continued, and is invisible on main until the swap', async () => {
    await using warehouse = await openOrders();
    const { catalog } = warehouse;
    await commit(catalog, { append: [dataFile('old1')] });
    await commit(catalog, { append: [dataFile('old2')] });
    await commit(catalog, { append: [dataFile('new1')], branch: 'stage' });
    const staged = await commit(catalog, { append: [dataFile('new2')], branch: 'stage' });
    expect(await fileNames(staged)).toEqual(['old1', 'old2']);
    expect(await fileNames(staged, 'stage')).toEqual(['new1', 'new2']);
    expect(snapshotOfRef(staged.metadata, 'stage')?.['sequence-number']).toBe(4n);

    const head = staged.metadata.refs['stage']?.['snapshot-id'];
    const changes = { branch: 'stage', remove: 'all' as const, expectedBranchHead: head, append: [dataFile('new3')] };
    const swapped = await swap(catalog, { ...changes, properties: { done: 'yes' }, summary: { why: 'refresh' } });
    expect(await fileNames(swapped)).toEqual(['new1', 'new2', 'new3']);
    expect(swapped.metadata.properties).toEqual({ done: 'yes' });
    expect(Object.keys(swapped.metadata.refs)).toEqual(['main']);
    expect(snapshotOfRef(swapped.metadata)?.summary).toMatchObject({
      operation: 'overwrite',
      why: 'refresh',
      'added-data-files': '3',
      'deleted-data-files': '2',
      'total-data-files': '3',
      'total-records': '30',
    });
    // The branch's own snapshots are gone, main's history stays and can be read.
    expect(swapped.metadata.snapshots.map((snapshot) => snapshot['sequence-number'])).toEqual([1n, 2n, 5n]);
    expect(swapped.metadata['snapshot-log']).toHaveLength(3);
    const before = swapped.metadata.snapshots[1]?.['snapshot-id'];
    expect(await Array.fromAsync(planFiles(swapped, { snapshotId: before }))).toHaveLength(2);
  });

  test('becomes main where there was none, or empties the table where it has no files', async () => {
    await using warehouse = await openOrders();
    const { catalog } = warehouse;
    await commit(catalog, { append: [dataFile('a')], branch: 'stage' });
    const swapped = await swap(catalog, { branch: 'stage', remove: 'all' });
    expect(await fileNames(swapped)).toEqual(['a']);
    const emptied = await swap(catalog, { branch: 'never-begun', remove: 'all' });
    expect(await fileNames(emptied)).toEqual([]);
    expect(snapshotOfRef(emptied.metadata)?.summary).toMatchObject({
      'deleted-data-files': '1',
      'total-data-files': '0',
    });
  });

  test('replaces only the files that a predicate names', async () => {
    await using warehouse = await openOrders();
    const { catalog } = warehouse;
    await commit(catalog, { append: [dataFile('mine'), dataFile('theirs')] });
    await commit(catalog, { append: [dataFile('fresh')], branch: 'stage' });
    const swapped = await swap(catalog, { branch: 'stage', remove: (file) => file.filePath === '/data/mine' });
    expect(await fileNames(swapped)).toEqual(['fresh', 'theirs']);
  });

  test('is not swapped if a head is not the expected one', async () => {
    await using warehouse = await openOrders();
    const { catalog } = warehouse;
    const table = await commit(catalog, { append: [dataFile('a')], branch: 'stage' });
    const changes = { branch: 'stage', remove: 'all' as const };
    await expect(stageSwap(table, { ...changes, expectedBranchHead: 1n })).rejects.toMatchObject({
      code: 'commit_conflict',
    });
    await expect(stageSwap(table, { ...changes, expectedMainHead: 1n })).rejects.toMatchObject({
      code: 'commit_conflict',
    });
    await expect(stageSwap(table, { ...changes, expectedMainHead: null })).resolves.toMatchObject({
      written: [expect.any(String)],
    });
  });

  test('is not swapped in beside equality deletes that would hit its rows', async () => {
    await using warehouse = await openOrders();
    const { catalog } = warehouse;
    await commit(catalog, { append: [dataFile('new')], branch: 'stage' });
    const table = await commit(catalog, { append: [dataFile('e', { content: 'equality-deletes', equalityIds: [1] })] });
    await expect(stageSwap(table, { branch: 'stage', remove: () => false })).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(await fileNames(await swap(catalog, { branch: 'stage', remove: 'all' }))).toEqual(['new']);
  });

  test('that is given up goes with its snapshots, and leaves those that others hold', async () => {
    await using warehouse = await openOrders();
    const { catalog } = warehouse;
    await commit(catalog, { append: [dataFile('a')] });
    const table = await commit(catalog, { append: [dataFile('b')], branch: 'stage' });
    const { updates } = stageBranchRemoval(table, 'stage');
    expect(updates).toEqual([
      { action: 'remove-snapshot-ref', 'ref-name': 'stage' },
      { action: 'remove-snapshots', 'snapshot-ids': [table.metadata.refs['stage']?.['snapshot-id']] },
    ]);
    expect(applyUpdates(table.metadata, updates).snapshots).toHaveLength(1);
  });
});
