import {
  type AwsStandIn,
  type TemporaryFolder,
  startHttpFaults,
  startMoto,
  temporaryFolder,
} from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commitTable, openCatalog, planFiles, stageSnapshot } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';
import { describeCatalog } from './contract.ts';
import { appendWithPyIceberg } from './pyiceberg.ts';

let aws: AwsStandIn;
let folder: TemporaryFolder;

beforeAll(async () => {
  [aws, folder] = await Promise.all([startMoto(), temporaryFolder()]);
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const open = () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = aws;
  return openCatalog({ type: 'glue', endpoint, region, accessKeyId, secretAccessKey, warehouse: folder.path });
};

describeCatalog("a catalog in AWS Glue's stand-in moto", () => ({
  open,
  isNested: false,
  oddNames: [{ namespace: ['my shop'], name: 'order items' }],
}));

test("PyIceberg appends to our table in Glue's stand-in, and we see it", async () => {
  await using catalog = await open();
  await appendWithPyIceberg(catalog, {
    type: 'glue',
    'glue.endpoint': aws.endpoint,
    'glue.region': aws.region,
    'glue.access-key-id': aws.accessKeyId,
    'glue.secret-access-key': aws.secretAccessKey,
  });
});

test.each(['swallow', 'reset', { status: 500 }] as const)(
  'a commit that meets %o is made exactly once',
  async (fault) => {
    await using faults = await startHttpFaults(aws.endpoint);
    await using catalog = await openCatalog({
      type: 'glue',
      ...aws,
      endpoint: faults.endpoint,
      warehouse: folder.path,
    });
    const orders = { namespace: ['faults'], name: `orders_${typeof fault === 'string' ? fault : 'status'}` };
    await catalog.createNamespace(orders.namespace);
    await catalog.createTable(orders, { schema: ORDER_SCHEMA });
    let isFirst = true;
    faults.faultFor = ({ headers }) => {
      if (headers['x-amz-target'] !== 'AWSGlue.UpdateTable' || !isFirst) return undefined;
      isFirst = false;
      return fault;
    };
    await commitTable(catalog, orders, (table) => stageSnapshot(table, { append: [dataFile('a')] }), {
      firstDelayMs: 1,
    });
    expect(isFirst).toBe(false);
    const table = await reload(catalog, orders);
    expect(table.metadata.snapshots).toHaveLength(1);
    const files = await Array.fromAsync(planFiles(table));
    expect(files.map(({ file }) => file.filePath)).toEqual(['/data/a']);
  },
);

test('a server that is not there is told as such', async () => {
  await using catalog = await openCatalog({
    type: 'glue',
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    accessKeyId: 'a',
    secretAccessKey: 'b',
    warehouse: folder.path,
  });
  await expect(catalog.createTable(ORDERS, { schema: ORDER_SCHEMA })).rejects.toMatchObject({ code: 'catalog_failed' });
});
