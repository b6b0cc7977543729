import { expect, test } from 'vitest';
import { formatOrderKey, isOnHistory, orderKeyOf, parsePosition, parseTimelineHistory } from '../src/position.ts';

const HISTORY = '1\t0/3000148\tno recovery target specified\n\n2\t0/5000000\treason\n';
const now = { systemId: '7', timeline: 3 };
const at = (lsn: string, timeline: number, systemId = '7') => ({ lsn, timeline, systemId });

test.each<[lsn: string, timeline: number, isThere: boolean]>([
  ['0/3000148', 1, true],
  ['0/3000149', 1, false],
  ['0/4000000', 2, true],
  ['1/0', 2, false],
  ['FF/0', 3, true],
  ['0/1', 4, false],
])('%s of timeline %i is on the history: %s', (lsn, timeline, isThere) => {
  expect(isOnHistory(at(lsn, timeline), now, parseTimelineHistory(HISTORY))).toBe(isThere);
});

test('another system has another history', () => {
  expect(isOnHistory(at('0/1', 3, '8'), now, [])).toBe(false);
});

test('order keys sort as places do: timelines, commits, changes within one, and the place behind them', () => {
  const commit = { timeline: 1, lsn: 0x16_b374_d848n };
  const keys = [
    orderKeyOf(at('16/B374D848', 1)),
    formatOrderKey({ ...commit, ordinal: 1 }),
    formatOrderKey({ ...commit, ordinal: 2 ** 32 }),
    orderKeyOf(at('16/B374D878', 1)),
    orderKeyOf(at('0/10', 2)),
  ];
  expect(keys[0]).toBe('000100000016b374d848000000000000');
  expect(keys.toSorted()).toEqual(keys);
  expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
});

test('what is no position is none', () => {
  expect(parsePosition({ lsn: '0/1', systemId: '7', timeline: 1 })).toBeDefined();
  for (const value of [undefined, {}, { lsn: '1', systemId: '7', timeline: 1 }, '0/1']) {
    expect(parsePosition(value)).toBeUndefined();
  }
});
