import { expect, test } from 'vitest';
import { reasonToPause } from '../src/load-watch.ts';

const limits = { maxReplicaLagSeconds: 10, maxActiveSessions: 5, minFreeConnections: 3 };
const calm = { replicaLagSeconds: undefined, activeSessions: 5, freeConnections: 3 };

test.each([
  ['nothing', {}, undefined],
  ['a replica at the limit', { replicaLagSeconds: 10 }, undefined],
  ['a replica beyond it', { replicaLagSeconds: 10.1 }, 'a replica is behind'],
  ['busy sessions', { activeSessions: 6 }, 'many sessions are at work'],
  ['few connections', { freeConnections: 2 }, 'few connections are free'],
])('%s', (_, changes, expected) => {
  expect(reasonToPause({ ...calm, ...changes }, limits)).toBe(expected);
});

test('without limits nothing pauses', () => {
  const none = { maxReplicaLagSeconds: Infinity, maxActiveSessions: Infinity, minFreeConnections: 0 };
  const load = { replicaLagSeconds: 1e9, activeSessions: 1e9, freeConnections: 0 };
  expect(reasonToPause(load, none)).toBeUndefined();
});
