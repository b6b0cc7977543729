import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import {
  IcebergError,
  type Table,
  commitTable,
  createPartitionSpec,
  parseTableMetadata,
  planFiles,
  readManifestList,
  serializeTableMetadata,
  snapshotOfRef,
  stageSnapshot,
} from '../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, openWarehouse } from './warehouse.ts';

const RUNS = 150;

/** A table with a partition, two snapshots and a removal; its files by location. */
let table: Table;
let files: Map<string, Uint8Array>;

beforeAll(async () => {
  await using warehouse = await openWarehouse();
  const { catalog } = warehouse;
  const partitionSpec = createPartitionSpec(ORDER_SCHEMA, ['bucket(4, id)']);
  await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA, partitionSpec });
  const partition = new Map([[1000, 3]]);
  await commitTable(catalog, ORDERS, (now) =>
    stageSnapshot(now, { append: ['a', 'b'].map((name) => dataFile(name, { partition })) }),
  );
  table = await commitTable(catalog, ORDERS, (now) =>
    stageSnapshot(now, { append: [dataFile('c', { partition })], remove: (file) => file.filePath === '/data/a' }),
  );
  const snapshot = snapshotOfRef(table.metadata)!;
  const manifests = await readManifestList(table.io, snapshot);
  const locations = [snapshot['manifest-list'], ...manifests.map(({ path }) => path)];
  files = new Map(await Promise.all(locations.map(async (path) => [path, await table.io.read(path)] as const)));
});

/** The table with one of its files broken. */
function withFile(location: string, bytes: Uint8Array): Table {
  const read = (path: string) => {
    const found = path === location ? bytes : files.get(path);
    return found ? Promise.resolve(found) : Promise.reject(new IcebergError('file_not_found', `${path} is not there.`));
  };
  const written = new Map<string, Uint8Array>();
  const write = (path: string, content: Uint8Array) => Promise.resolve(void written.set(path, content));
  return { ...table, io: { ...table.io, read, write } };
}

/** Damage that storage or another writer may do: bytes changed, cut, doubled or put in. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('change' as const), at: fc.nat(), byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), byte: fc.nat(255) }),
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function harm(bytes: Uint8Array, change: Damage): Uint8Array {
  const at = change.at % bytes.length;
  if (change.kind === 'cut') return bytes.slice(0, at);
  if (change.kind === 'insert') return Uint8Array.from([...bytes.subarray(0, at), change.byte, ...bytes.subarray(at)]);
  const copy = bytes.slice();
  copy[at] = change.byte;
  return copy;
}

test('a broken manifest or manifest list is told of by an IcebergError, or does no harm', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), damage, async (which, change) => {
      const [location, bytes] = [...files][which % files.size]!;
      const broken = withFile(location, harm(bytes, change));
      for (const work of [
        () => Array.fromAsync(planFiles(broken, { filter: { op: '=', column: 'id', value: 1 } })),
        () => stageSnapshot(broken, { append: [dataFile('d')], remove: 'all' }),
      ]) {
        try {
          await work();
        } catch (error) {
          expect(error, String(error)).toBeInstanceOf(IcebergError);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

/** Any JSON value put in the place of any other of the metadata. */
test('broken metadata is told of by an IcebergError, and what is read of it is never another table', () => {
  const text = serializeTableMetadata(table.metadata);
  const paths = pathsOf(JSON.parse(text));
  fc.assert(
    fc.property(fc.nat(), fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant(undefined)), (which, value) => {
      const path = paths[which % paths.length]!;
      const json: unknown = JSON.parse(text);
      replace(json, path, value);
      try {
        const read = parseTableMetadata(JSON.stringify(json));
        expect(typeof read.location).toBe('string');
        for (const schema of read.schemas) expect(Array.isArray(schema.fields)).toBe(true);
        for (const spec of read['partition-specs']) expect(Array.isArray(spec.fields)).toBe(true);
        for (const snapshot of read.snapshots) expect(typeof snapshot['snapshot-id']).toBe('bigint');
        const head = read['current-snapshot-id'];
        if (head !== undefined) expect(snapshotOfRef(read)?.['snapshot-id']).toBe(head);
      } catch (error) {
        expect(error, `${path.join('.')} = ${JSON.stringify(value)}: ${String(error)}`).toBeInstanceOf(IcebergError);
      }
    }),
    { numRuns: 20 * RUNS },
  );
});

test('text that is cut or changed anywhere is no metadata, or metadata of the same table', () => {
  const text = serializeTableMetadata(table.metadata);
  fc.assert(
    fc.property(damage, (change) => {
      try {
        parseTableMetadata(Buffer.from(harm(Buffer.from(text), change)).toString());
      } catch (error) {
        expect(error, String(error)).toBeInstanceOf(IcebergError);
      }
    }),
    { numRuns: 5 * RUNS },
  );
});

type Path = (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]));
  return path.length === 0 ? entries : [path, ...entries];
}

function replace(root: unknown, path: Path, value: unknown): void {
  let parent = root as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) parent = parent[key] as Record<string | number, unknown>;
  const last = path.at(-1)!;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}
