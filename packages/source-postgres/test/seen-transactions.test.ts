import { expect, test } from 'vitest';
import { formatTransactions, parseSnapshot, parseTransactions, sees } from '../src/seen-transactions.ts';

test.each<[snapshot: string, xid: number, isSeen: boolean]>([
  ['100:105:101,103', 99, true],
  ['100:105:101,103', 101, false],
  ['100:105:101,103', 102, true],
  ['100:105:101,103', 105, false],
  ['100:100:', 99, true],
  ['100:100:', 100, false],
  // Numbers of 32 bits go round; the snapshot's do not.
  ['4294967306:4294967306:', 4_294_967_290, true],
  ['4294967306:4294967306:', 9, true],
  ['4294967306:4294967306:', 10, false],
  ['8589934590:8589934592:8589934590', 4_294_967_294, false],
  ['8589934590:8589934592:8589934590', 4_294_967_295, true],
])('the snapshot %s sees %i: %s', (snapshot, xid, isSeen) => {
  expect(sees(parseSnapshot(snapshot), xid)).toBe(isSeen);
});

test('transactions come back from the words of several commits, with the last place', () => {
  const words = [
    { end: 0x2_0000_0010n, xids: [7, 8] },
    { end: 0x1_ffff_fff0n, xids: [9] },
  ].map(formatTransactions);
  expect(words[0]).toBe('2/10:7,8');
  expect(parseTransactions(words)).toEqual({ end: 0x2_0000_0010n, xids: [7, 8, 9] });
  expect(parseTransactions([])).toBeUndefined();
});
