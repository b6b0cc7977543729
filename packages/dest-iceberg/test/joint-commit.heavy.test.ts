import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openCatalog, type Table } from '@fjord/iceberg';
import {
  type HttpFaults,
  readWithPyIceberg,
  type RestCatalogServer,
  startHttpFaults,
  startRestCatalog,
  temporaryFolder,
} from '@fjord/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeChanges, orderKey } from './changes/change-log.ts';
import { COLUMNS, WriteProcess } from './write-process.ts';

const BIN = path.join(import.meta.dirname, '../src/bin.ts');
const STREAMS = ['debit', 'credit'];
const TRANSACTIONS = 12;
const STATE_PROPERTY = /^fjord\.state\./;

let server: RestCatalogServer;
let proxy: HttpFaults;
beforeAll(async () => {
  server = await startRestCatalog();
  proxy = await startHttpFaults(server.uri);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Starts `write` of two streams that follow the change log, through the proxy. */
function startWrite(folder: string, namespace: string): WriteProcess {
  const [config, streams] = [path.join(folder, 'config.json'), path.join(folder, 'streams.json')];
  const catalog = { type: 'rest', uri: proxy.endpoint, accessDelegation: 'none' };
  writeFileSync(config, JSON.stringify({ catalog, workers: 1, commitIntervalSeconds: 0 }));
  const selected = STREAMS.map((stream) => {
    const target = { namespace: [namespace], name: stream };
    const shape = { stream, name: stream, columns: COLUMNS, primaryKey: ['id'] };
    return { ...shape, writeMode: 'upsert', changes: {}, target };
  });
  writeFileSync(streams, JSON.stringify({ pipeline: namespace, streams: selected }));
  const args = [BIN, 'write', '--config', config, '--streams', streams, '--follow'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  return new WriteProcess(child, { columns: COLUMNS, primaryKey: ['id'] });
}

/** Begins both streams and copies nothing: all rows come as changes. */
async function begin(write: WriteProcess): Promise<void> {
  await write.started();
  for (const stream of STREAMS) {
    write.send(
      { type: 'STATE', stream, state: null, resumed: true },
      { type: 'STATUS', stream, status: 'STARTED' },
      { type: 'SCHEMA', stream, version: 1, columns: COLUMNS, primaryKey: ['id'] },
      { type: 'HANDOVER', stream, position: orderKey(0) },
      { type: 'STATE', stream, state: 'copied' },
    );
  }
  write.send({ type: 'STATE', state: 'copied' });
  await shared(write, 'copied');
}

const shared = (write: WriteProcess, state: unknown) =>
  write.line((line) => line.type === 'STATE' && line['stream'] === undefined && line['state'] === state);

/** A transaction of one row in each table. */
function send(write: WriteProcess, number: number): void {
  for (const stream of STREAMS) {
    const { rows, body } = encodeChanges(COLUMNS, [{ op: 'c', row: { id: String(number), name: stream } }], number);
    const bytes = body.reduce((sum, { length }) => sum + length, 0);
    write.send({ type: 'BATCH', stream, kind: 'changes', schema: 1, rows, bytes });
    for (const piece of body) write.child.stdin.write(piece);
  }
  for (const stream of STREAMS) write.send({ type: 'STATE', stream, state: number });
  write.send({ type: 'STATE', state: number });
}

async function tables(namespace: string): Promise<Table[]> {
  await using catalog = await openCatalog({ type: 'rest', uri: server.uri, io: {} });
  const found = await Promise.all(STREAMS.map((name) => catalog.loadTable({ namespace: [namespace], name })));
  return found.map((table) => table!);
}

const transactionCalls = () => proxy.calls.filter(({ url }) => url.endsWith('/transactions/commit')).length;

test.each([
  ['goes well', undefined],
  ['is made and not answered', 'swallow'],
  ['is not made', { status: 503 }],
  ['is refused, and the next ones', { status: 409 }],
] as const)('streams are committed together, each transaction once, where a commit %s', async (what, fault) => {
  await using folder = await temporaryFolder('fjord-joint');
  const namespace = what.replaceAll(/\W+/g, '_');
  await using write = startWrite(folder.path, namespace);
  await begin(write);
  const before = proxy.calls.length;
  let faults = 0;
  proxy.faultFor = ({ url }) => {
    if (!url.endsWith('/transactions/commit') || faults >= 3) return undefined;
    faults += 1;
    return fault;
  };
  for (let number = 1; number <= TRANSACTIONS; number++) {
    send(write, number);
    await shared(write, number);
    const states = (await tables(namespace)).map(({ metadata }) =>
      Object.entries(metadata.properties).flatMap(([name, value]) =>
        STATE_PROPERTY.test(name) ? [JSON.parse(value).state] : [],
      ),
    );
    expect(states).toEqual([[number], [number]]);
  }
  proxy.faultFor = () => undefined;
  expect(transactionCalls()).toBeGreaterThanOrEqual(TRANSACTIONS);
  const alone = proxy.calls
    .slice(before)
    .filter(({ method, url }) => method === 'POST' && /tables\/(debit|credit)$/.test(url));
  expect(alone).toEqual([]);
  for (const stream of STREAMS) write.send({ type: 'STATUS', stream, status: 'COMPLETE' });
  write.send({ type: 'STATUS', status: 'COMPLETE' });
  expect(await write.finish(), JSON.stringify(write.errors)).toBe(0);
  for (const { metadataLocation, metadata } of await tables(namespace)) {
    const { rows } = await readWithPyIceberg({ metadataLocation, columns: ['id'] });
    expect(rows.map(([id]) => Number(id)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: TRANSACTIONS }, (_, index) => index + 1),
    );
    expect(metadata.snapshots.filter(({ summary }) => summary?.['added-data-files'] === '1')).toHaveLength(
      TRANSACTIONS,
    );
  }
});
