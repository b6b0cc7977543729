import { type AwsStandIn, type TemporaryFolder, startMoto, temporaryFolder } from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCatalog } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA } from '../warehouse.ts';
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
