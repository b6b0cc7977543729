import { expect, test } from 'vitest';
import { followWithUpkeep } from './follow-random.ts';

test.each([
  { deleteFiles: 'position', formatVersion: 2, partition: [] },
  { deleteFiles: 'equality', formatVersion: 2, partition: ['month(at)'] },
  { deleteFiles: 'position', formatVersion: 3, partition: [] },
] as const)(
  'a table that follows random changes is put in order meanwhile, and stays right and small: $deleteFiles deletes, version $formatVersion',
  async ({ deleteFiles, formatVersion, partition }) => {
    const layout = { changes: { deleteFiles }, formatVersion, partition: [...partition] };
    const { said, snapshots } = await followWithUpkeep({ key: 'long', layout, seed: formatVersion }, 40);
    const orders = said.filter(({ message }) => message === 'table put in order');
    expect(orders.length).toBeGreaterThan(1);
    expect(said.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    expect(snapshots).toBeLessThan(40);
  },
);
