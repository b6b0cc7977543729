import type { Stream } from '@fjord/core';
import { describe, expect, test } from 'vitest';
import { advisePartition } from '../src/partition-advice.ts';

const GB = 2 ** 30;

function stream(partitioning: Stream['partitioning'], estimatedBytes: number | undefined): Stream {
  return {
    stream: 'shop.events',
    name: 'events',
    columns: [
      { name: 'at', type: 'timestamptz', nullable: false },
      { name: 'id', type: 'long', nullable: false },
      { name: 'odd "name"', type: 'string', nullable: false },
    ],
    primaryKey: [],
    cursorCandidates: [],
    syncModes: ['full'],
    ...(partitioning && { partitioning }),
    ...(estimatedBytes !== undefined && { estimatedBytes }),
  };
}

describe('advice on partitions', () => {
  const byTime = (width: number, parts: number) => ({ strategy: 'range' as const, columns: ['at'], parts, width });

  test.each([
    ['a day where the source has large days', byTime(1, 100), 100 * GB, ['day(at)']],
    ['a month where days are small', byTime(1, 365), 20 * GB, ['month(at)']],
    ['a month where the source has months, however large', byTime(30, 24), 2400 * GB, ['month(at)']],
    ['a month where the source has weeks', byTime(7, 52), 520 * GB, ['month(at)']],
    ['a year where months are small', byTime(31, 48), 2 * GB, ['year(at)']],
    ['nothing where even years are small', byTime(31, 480), GB, undefined],
    ['nothing for a small table', byTime(1, 2), GB / 4, undefined],
    ['nothing where the size is not known', byTime(1, 2), undefined, undefined],
    ['nothing where the source does not divide', undefined, 1000 * GB, undefined],
    ['as many buckets as the source has', { strategy: 'hash', columns: ['id'], parts: 8 }, 80 * GB, ['bucket(8, id)']],
    ['fewer buckets where parts are small', { strategy: 'hash', columns: ['id'], parts: 64 }, GB, ['bucket(4, id)']],
    [
      'the column itself where the source lists its values',
      { strategy: 'list', columns: ['odd "name"'], parts: 3 },
      3 * GB,
      ['"odd ""name"""'],
    ],
    ['nothing for a list of small parts', { strategy: 'list', columns: ['id'], parts: 300 }, 3 * GB, undefined],
    [
      'ranges of the same width for numbers',
      { strategy: 'range', columns: ['id'], parts: 10, width: 1_000_000 },
      10 * GB,
      ['truncate(1000000, id)'],
    ],
  ] as const)('%s', (_, partitioning, bytes, partition) => {
    const given = partitioning && { ...partitioning, columns: [...partitioning.columns] };
    expect(advisePartition(stream(given, bytes))?.partition).toEqual(partition);
  });
});
