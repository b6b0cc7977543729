import { hostname, userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type TableIdentifier, formatIdentifier } from '../../catalog.ts';
import { IcebergError } from '../../errors.ts';
import type { ThriftClient } from './thrift-client.ts';
import { type ThriftValue, fieldsOf, int, list, struct, structOf, text } from './thrift-value.ts';

const EXCLUSIVE = 3;
const TABLE_LEVEL = 2;
const ACQUIRED = 1;
const WAITING = 2;

/** Commits of others hold the lock for the time of one ALTER TABLE. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;
const GIVE_UP_AFTER_MS = 180_000;

/** Does work under the metastore's exclusive lock of a table, as all other writers of Iceberg's HiveCatalog do by default. */
export async function withLock<T>(
  client: ThriftClient,
  identifier: TableIdentifier,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await acquire(client, identifier);
  try {
    return await work();
  } finally {
    // A lock that stays ends by itself after the metastore's time-out.
    await client.call('unlock', fieldsOf({ 1: struct({ 1: lock }) })).catch(() => undefined);
  }
}

async function acquire(client: ThriftClient, identifier: TableIdentifier): Promise<ThriftValue> {
  const { namespace, name } = identifier;
  const component = struct({
    1: int(EXCLUSIVE),
    2: int(TABLE_LEVEL),
    3: text(namespace.join('.')),
    4: text(name),
  });
  const request = struct({ 1: list('struct', [component]), 3: text(userInfo().username), 4: text(hostname()) });
  let answer = structOf(await client.call('lock', fieldsOf({ 1: request })));
  const lock = answer.get(1);
  if (!lock) throw new Error('The metastore gave no lock.');
  const givenUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (let waitMs = FIRST_WAIT_MS; stateOf(answer.get(2)) === WAITING; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    if (Date.now() > givenUpAt) break;
    await delay(Math.random() * waitMs);
    answer = structOf(await client.call('check_lock', fieldsOf({ 1: struct({ 1: lock }) })));
  }
  if (stateOf(answer.get(2)) === ACQUIRED) return lock;
  await client.call('unlock', fieldsOf({ 1: struct({ 1: lock }) })).catch(() => undefined);
  const message = `Another writer holds the lock of table "${formatIdentifier(identifier)}".`;
  throw new IcebergError('commit_conflict', message);
}

function stateOf(value: ThriftValue | undefined): number | undefined {
  return value?.type === 'i32' ? value.value : undefined;
}
