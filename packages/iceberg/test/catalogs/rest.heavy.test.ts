import {
  type HttpFaults,
  type RestCatalogServer,
  type S3Server,
  catalogPython,
  mustRun,
  startHttpFaults,
  startRestCatalog,
  startS3,
} from '@fjord/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commitTable, openCatalog, planFiles, stageSnapshot } from '../../src/index.ts';
import { ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';
import { ODD_NAMES, describeCatalog } from './contract.ts';
import { appendWithPyIceberg } from './pyiceberg.ts';

let s3: S3Server;
let server: RestCatalogServer;
let proxy: HttpFaults;
let io: Record<string, string>;

beforeAll(async () => {
  s3 = await startS3();
  server = await startRestCatalog({ s3 });
  proxy = await startHttpFaults(server.uri);
  io = {
    's3.endpoint': s3.endpoint,
    's3.region': s3.region,
    's3.access-key-id': s3.accessKeyId,
    's3.secret-access-key': s3.secretAccessKey,
    's3.path-style-access': 'true',
  };
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const open = (uri = server.uri) => openCatalog({ type: 'rest', uri, io });

describeCatalog("Iceberg's REST catalog", () => ({
  open: () => open(),
  isNested: true,
  // Its server, Jetty 11, refuses slashes and backslashes in names.
  oddNames: ODD_NAMES.filter(({ name }) => !/[/\\]/.test(name)),
}));

describe("Iceberg's REST catalog", () => {
  test('and PyIceberg append to one table in turn', async () => {
    await using catalog = await open();
    await appendWithPyIceberg(catalog, { type: 'rest', uri: server.uri, ...io });
  });

  test('and DuckDB: what we appended is read through the catalog', async () => {
    await using catalog = await open();
    const { stdout } = await mustRun(await catalogPython(), ['-c', DUCKDB], {
      input: JSON.stringify({ uri: server.uri, ...s3 }),
    });
    expect(JSON.parse(stdout)).toEqual([
      [1, 'ours'],
      [2, 'theirs'],
      [3, 'ours'],
    ]);
    expect(await catalog.listTables(['foreign'])).toHaveLength(1);
  });

  test('commits to several tables at once, or to none of them', async () => {
    await using catalog = await open();
    const [a, b] = ['a', 'b'].map((name) => ({ namespace: ['together'], name }));
    if (!a || !b) throw new Error('No tables.');
    await catalog.createNamespace(['together']);
    const bases = [
      await catalog.createTable(a, { schema: ORDER_SCHEMA }),
      await catalog.createTable(b, { schema: ORDER_SCHEMA }),
    ];
    const stage = () =>
      Promise.all(
        bases.map(async (base) => {
          const changes = await stageSnapshot(base, { append: [dataFile('x')] });
          return { identifier: base.identifier, base, changes };
        }),
      );
    if (!catalog.commitTogether) throw new Error('The server offers no transactions.');
    await catalog.commitTogether(await stage());
    for (const identifier of [a, b]) expect((await reload(catalog, identifier)).metadata.snapshots).toHaveLength(1);
    const outdated = await stage();
    const fresh = await Promise.all([reload(catalog, a), reload(catalog, b)]);
    const mixed = outdated.map((commit, index) =>
      index === 0 ? { ...commit, base: fresh[0] ?? commit.base } : commit,
    );
    await expect(catalog.commitTogether(mixed)).rejects.toMatchObject({ code: 'commit_conflict' });
    for (const identifier of [a, b]) expect((await reload(catalog, identifier)).metadata.snapshots).toHaveLength(1);
  });

  test.each(['swallow', 'reset', { status: 500 }, { status: 503 }] as const)(
    'a commit that meets %o is made exactly once, and its manifests stay',
    async (fault) => {
      await using catalog = await open(proxy.endpoint);
      const orders = { namespace: ['faults'], name: `orders_${typeof fault === 'string' ? fault : fault.status}` };
      await catalog.createNamespace(['faults']);
      await catalog.createTable(orders, { schema: ORDER_SCHEMA });
      let isFirst = true;
      proxy.faultFor = ({ method, url }) => {
        if (method !== 'POST' || !url.endsWith(`/${orders.name}`) || !isFirst) return undefined;
        isFirst = false;
        return fault;
      };
      await commitTable(catalog, orders, (table) => stageSnapshot(table, { append: [dataFile('a')] }), {
        firstDelayMs: 1,
      });
      expect(isFirst).toBe(false);
      proxy.faultFor = () => undefined;
      await commitTable(catalog, orders, ({ metadata }) => {
        const count = String(Number(metadata.properties['count'] ?? 0) + 1);
        return { requirements: [], updates: [{ action: 'set-properties', updates: { count } }] };
      });
      const table = await reload(catalog, orders);
      const files = await Array.fromAsync(planFiles(table));
      expect(files.map(({ file }) => file.filePath)).toEqual(['/data/a']);
      expect(table.metadata.properties['count']).toBe('1');
    },
  );

  test('a commit waits as long as a busy server asks', async () => {
    await using catalog = await open(proxy.endpoint);
    const orders = { namespace: ['faults'], name: 'orders_busy' };
    await catalog.createNamespace(['faults']);
    const base = await catalog.createTable(orders, { schema: ORDER_SCHEMA });
    let refusals = 0;
    proxy.faultFor = ({ method }) => {
      if (method !== 'POST' || refusals === 2) return undefined;
      refusals++;
      return { status: 429, headers: { 'retry-after': '0' } };
    };
    await catalog.commit(orders, base, await stageSnapshot(base, { append: [dataFile('a')] }));
    proxy.faultFor = () => undefined;
    expect(refusals).toBe(2);
  });
});

const DUCKDB = `
import json, sys
import duckdb
from duckdb_extensions import import_extension
request = json.load(sys.stdin)
connection = duckdb.connect()
for extension in ['avro', 'iceberg', 'httpfs']:
    import_extension(extension)
    connection.execute(f'LOAD {extension}')
host = request['endpoint'].split('://')[1]
connection.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{request['accessKeyId']}', SECRET '{request['secretAccessKey']}', REGION '{request['region']}', ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false)")
connection.execute(f"ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{request['uri']}', AUTHORIZATION_TYPE 'none', ACCESS_DELEGATION_MODE 'none')")
print(json.dumps(connection.execute('SELECT * FROM lake.foreign.orders ORDER BY id').fetchall()))`;
