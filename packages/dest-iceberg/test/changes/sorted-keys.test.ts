import { Int64, makeData } from 'apache-arrow';
import { expect, test } from 'vitest';
import { KeyIndexBuilder, packIndex, unpackIndex } from '../../src/changes/key-index.ts';
import { KeyReader } from '../../src/changes/key-reader.ts';
import { matchKeys, type SortedKeys } from '../../src/changes/sorted-keys.ts';
import { decodeRows } from '../../src/partition/decode-rows.ts';
import { encodeChanges, randomFrom } from './change-log.ts';

function indexNumbers(numbers: readonly number[]): SortedKeys {
  const data = makeData({ type: new Int64(), length: numbers.length, data: BigInt64Array.from(numbers, BigInt) });
  const rows = { length: numbers.length, columns: [data] };
  const builder = new KeyIndexBuilder(numbers.length);
  builder.addRows(rows, new KeyReader(rows, [0]));
  return builder.finish();
}

function indexTexts(texts: readonly string[]): SortedKeys {
  const columns = ['t', 'n'].map((name) => ({ name, type: 'string', nullable: true }));
  const { body } = encodeChanges(
    columns,
    texts.map((t) => ({ op: 'c', row: { t, n: null } })),
    0,
  );
  const builder = new KeyIndexBuilder(texts.length);
  for (const rows of decodeRows(body)) builder.addRows(rows, new KeyReader(rows, [0, 1]));
  return builder.finish();
}

function pairs(wanted: SortedKeys, index: SortedKeys): string[] {
  const found: string[] = [];
  matchKeys(wanted, index, (a, b) => found.push(`${a}:${b}`));
  return found.toSorted();
}

test.each([3, 40, 5000])('finds every number that is there, and no other, among 5000 (%i wanted)', (count) => {
  const random = randomFrom(count);
  const all = Array.from({ length: 5000 }, () => random(10_000) - 5000);
  const wanted = Array.from({ length: count }, () => random(10_000) - 5000);
  const expected = wanted.flatMap((value, at) =>
    all.flatMap((other, position) => (other === value ? [`${at}:${position}`] : [])),
  );
  expect(pairs(indexNumbers(wanted), indexNumbers(all))).toEqual(expected.toSorted());
});

test('keys of texts are told apart by their bytes, also after they lay on disk', () => {
  const all = Array.from({ length: 300 }, (_, number) => `k${number % 200}`);
  const packed = packIndex(indexTexts(all));
  const index = unpackIndex(Uint8Array.from(Buffer.concat(packed)));
  expect(pairs(indexTexts(['k7', 'k150', 'k999']), index)).toEqual(['0:207', '0:7', '1:150']);
});

test('keys whose hashes are equal but whose bytes are not are no match', () => {
  const [one, other] = [indexTexts(['one']), indexTexts(['two'])];
  expect(pairs({ ...one, high: other.high, low: other.low }, other)).toEqual([]);
  expect(pairs(one, one)).toEqual(['0:0']);
});
