import {
  type HttpCall,
  type HttpFault,
  type HttpFaults,
  type S3Server,
  startHttpFaults,
  startS3,
} from '@fjord/test-harness';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FileIO, commitTable, openCatalog, openFileIO, planFiles, stageSnapshot } from '../../src/index.ts';
import { ORDERS, ORDER_SCHEMA, dataFile, reload } from '../warehouse.ts';
import { pattern } from './contract.ts';

let server: S3Server;
let faults: HttpFaults;
let properties: Record<string, string>;
let io: FileIO;
const at = (key: string) => `s3://${server.bucket}/${key}`;

beforeAll(async () => {
  server = await startS3();
  faults = await startHttpFaults(server.endpoint);
  properties = {
    's3.endpoint': faults.endpoint,
    's3.region': server.region,
    's3.access-key-id': server.accessKeyId,
    's3.secret-access-key': server.secretAccessKey,
  };
  io = openFileIO(at('x'), properties);
});
afterAll(async () => {
  await faults[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  faults.faultFor = () => undefined;
});

const error = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
const SLOW_DOWN: HttpFault = { status: 503, body: error('SlowDown') };
const INTERNAL: HttpFault = { status: 500, body: error('InternalError') };
const EXPIRED: HttpFault = { status: 400, body: error('ExpiredToken') };

/** Lets the first `times` of the calls that match go wrong. */
function failFirst(matches: (call: HttpCall) => boolean, fault: HttpFault, times = 1): { left: number } {
  const count = { left: times };
  faults.faultFor = (call) => {
    if (count.left === 0 || !matches(call)) return undefined;
    count.left--;
    return fault;
  };
  return count;
}

const STEPS: [string, (call: HttpCall) => boolean][] = [
  ['the begin of an upload', ({ method, url }) => method === 'POST' && url.includes('uploads')],
  ['a part', ({ method, url }) => method === 'PUT' && url.includes('partNumber=2')],
  ['the end of an upload', ({ method, url }) => method === 'POST' && url.includes('uploadId')],
];

async function upload(location: string): Promise<Uint8Array> {
  const bytes = pattern(20_000_000);
  const writer = await io.createWriter(location);
  for (let offset = 0; offset < bytes.length; offset += 5_000_000)
    await writer.write(bytes.subarray(offset, offset + 5_000_000));
  await writer.close();
  return bytes;
}

describe.each(STEPS)('%s', (step, matches) => {
  test.each([
    ['500', INTERNAL],
    ['slow down', SLOW_DOWN],
    ['a reset', 'reset'],
    ['a lost answer', 'swallow'],
  ] as const)('that meets %s is tried again, and the file is whole', async (what, fault) => {
    const count = failFirst(matches, fault, 2);
    const location = at(`${step}/${what}`);
    const bytes = await upload(location);
    expect(count.left).toBe(0);
    expect(Buffer.compare(await io.read(location), bytes)).toBe(0);
  });

  test('that meets an expired token fails with the name of the file, and leaves no file', async () => {
    failFirst(matches, EXPIRED, 100);
    const location = at(`${step}/expired`);
    await expect(upload(location)).rejects.toMatchObject({
      code: 'storage_failed',
      message: `${location} could not be used (ExpiredToken).`,
    });
    faults.faultFor = () => undefined;
    expect(await io.exists(location)).toBe(false);
  });
});

describe('a commit', () => {
  test.each([
    ['500', INTERNAL],
    ['slow down', SLOW_DOWN],
    ['a reset', 'reset'],
    ['a lost answer', 'swallow'],
    ['an expired token', EXPIRED],
  ] as const)(
    'whose metadata meets %s is made once or not at all, and keeps every file it refers to',
    async (what, fault) => {
      const warehouse = at(`wh-${what.replaceAll(' ', '-')}`);
      await using catalog = await openCatalog({ type: 'hadoop', warehouse, io: properties });
      await catalog.createNamespace(ORDERS.namespace);
      await catalog.createTable(ORDERS, { schema: ORDER_SCHEMA });
      const count = failFirst(
        ({ method, url }) => method === 'PUT' && url.includes('v2.metadata.json'),
        fault,
        fault === EXPIRED ? 1 : 2,
      );
      const commit = commitTable(catalog, ORDERS, (table) => stageSnapshot(table, { append: [dataFile('a')] }), {
        firstDelayMs: 1,
      });
      await commit;
      expect(count.left).toBe(0);
      faults.faultFor = () => undefined;
      const table = await reload(catalog);
      // Reads the manifest list and the manifest: a file that was deleted would be missed here.
      const files = await Array.fromAsync(planFiles(table));
      expect(files.map(({ file }) => file.filePath)).toEqual(['/data/a']);
      expect(table.metadata.snapshots).toHaveLength(1);
    },
  );
});
