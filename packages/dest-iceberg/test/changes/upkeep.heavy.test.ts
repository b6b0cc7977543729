import { expect, test } from 'vitest';
import { followWithUpkeep } from './follow-random.ts';
import { KEYS } from './random-table.ts';

const CASES = Object.keys(KEYS).flatMap((key, number) =>
  ([2, 3] as const).map((formatVersion) => {
    const deleteFiles = formatVersion === 2 && number % 2 === 1 ? ('equality' as const) : ('position' as const);
    return { key, formatVersion, deleteFiles, partition: number % 2 === 0 ? [] : ['month(at)'] };
  }),
);

test.each(CASES)(
  'a table is put in order between random changes: key $key, version $formatVersion, $deleteFiles deletes',
  async ({ key, formatVersion, deleteFiles, partition }) => {
    if (!(key in KEYS)) throw new Error('there is no such key');
    const layout = { changes: { deleteFiles }, formatVersion, partition };
    const { said } = await followWithUpkeep({ key, layout, seed: 1000 + formatVersion }, 120);
    expect(said.filter(({ message }) => message === 'table put in order').length).toBeGreaterThan(3);
  },
);
