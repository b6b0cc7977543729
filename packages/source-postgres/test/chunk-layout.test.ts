import { describe, expect, test } from 'vitest';
import { cutUnits, layoutIdentity, parseLayout, type Range, type RelationLayout } from '../src/chunk-layout.ts';

const PAGE = 8192;
const relation = (oid: number, pages: number, pageBytes = PAGE): RelationLayout => ({
  oid,
  file: oid + 1000,
  pages,
  pageBytes,
});
const pagesOf = (ranges: Range[]) => ranges.filter((range) => 'fromPage' in range);
const cut = (relations: RelationLayout[], pagesPerChunk: number) =>
  cutUnits({ unitBytes: pagesPerChunk * PAGE, key: [], relations }).map((ranges) =>
    pagesOf(ranges)
      .map(({ oid, fromPage, toPage }) => `${oid}:${fromPage}-${toPage ?? ''}`)
      .join(' '),
  );

describe('cutting', () => {
  test.each<[string, RelationLayout[], number, string[]]>([
    ['no relation', [], 100, ['']],
    ['an empty table', [relation(1, 0)], 100, ['1:0-']],
    ['a table smaller than a chunk', [relation(1, 99)], 100, ['1:0-']],
    ['a table of two chunks', [relation(1, 200)], 100, ['1:0-100', '1:100-']],
    ['a table a little above a chunk, in halves', [relation(1, 101)], 100, ['1:0-50', '1:50-']],
    ['wide rows, with fewer pages', [relation(1, 200, PAGE * 4)], 200, ['1:0-50', '1:50-100', '1:100-150', '1:150-']],
    ['small ones into one chunk', [relation(1, 30), relation(2, 30), relation(3, 30)], 100, ['1:0- 2:0- 3:0-']],
    [
      'a large one among small ones',
      [relation(1, 30), relation(2, 150), relation(3, 20)],
      100,
      ['1:0-', '2:0-75', '2:75- 3:0-'],
    ],
    ['pages larger than a chunk, one each', [relation(1, 3, PAGE * 500)], 100, ['1:0-1', '1:1-2', '1:2-']],
  ])('%s', (_, relations, pagesPerChunk, expected) => {
    expect(cut(relations, pagesPerChunk)).toEqual(expected);
  });

  test('10,000 empty partitions come in several chunks', () => {
    const relations = Array.from({ length: 10_000 }, (_, oid) => relation(oid, 0));
    expect(cutUnits({ unitBytes: 128 << 20, key: [], relations })).toHaveLength(10);
  });

  test('every page is in exactly one range, whatever the sizes', () => {
    for (let seed = 1; seed < 500; seed++) {
      const relations = [seed * 7919, seed * 104_729, seed].map((n, oid) => relation(oid, n % 997, 1 + (n % 20_000)));
      const ranges = cutUnits({ unitBytes: 1 + ((seed * 31_337) % 500_000), key: [], relations }).flatMap(pagesOf);
      for (const { oid } of relations) {
        const own = ranges.filter((range) => range.oid === oid);
        expect(own.map(({ fromPage }) => fromPage)).toEqual([0, ...own.slice(0, -1).map(({ toPage }) => toPage)]);
        expect(own.at(-1)?.toPage).toBeUndefined();
      }
    }
  });
});

test('the identity changes with the server, a file, and the set of relations', () => {
  const identities = [
    layoutIdentity('7/5', [relation(1, 5)]),
    layoutIdentity('8/5', [relation(1, 5)]),
    layoutIdentity('7/5', [{ ...relation(1, 5), file: 2 }]),
    layoutIdentity('7/5', [relation(1, 5), relation(2, 5)]),
  ];
  expect(identities).toEqual(['7/5 1:1001', '8/5 1:1001', '7/5 1:2', '7/5 1:1001 2:1002']);
  const many = Array.from({ length: 1000 }, (_, oid) => relation(oid, 1));
  expect(layoutIdentity('7/5', many)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(layoutIdentity('7/5', many)).not.toBe(layoutIdentity('7/5', many.slice(1)));
});

test('the size of a table is no part of its identity', () => {
  expect(layoutIdentity('7/5', [relation(1, 5)])).toBe(layoutIdentity('7/5', [relation(1, 6)]));
});

test('a layout that is not ours is an outdated plan', () => {
  expect(parseLayout({ unitBytes: 5, key: [], relations: [relation(1, 5)] }, 'public.t').relations).toHaveLength(1);
  expect(() => parseLayout({ pages: 5 }, 'public.t')).toThrow(
    'The chunk plan of public.t was made by another version.',
  );
});
