import { planFiles } from '@fjord/iceberg';
import { readWithSpark, runSpark } from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { TableScene } from './table-scene.ts';

const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

test.each([2, 3])(
  'Spark reads a compacted table of version %d as before, and its rows by their ids',
  async (version) => {
    await using scene = await TableScene.open(version);
    for (let file = 0; file < 4; file++) await scene.append(idsFrom(file * 50, 50));
    await scene.deleteAt([0, 49]);
    const idsNow = async () => {
      const { metadataLocation } = await scene.table();
      const { columns, rows } = await readWithSpark({ metadataLocation: metadataLocation.replace('file://', '') });
      const id = columns.findIndex(({ name }) => name === 'id');
      return rows.map((row) => Number(row[id])).toSorted((a, b) => a - b);
    };
    const before = await idsNow();
    expect(before).toEqual(idsFrom(0, 200).filter((id) => ![0, 49].includes(id % 50)));
    expect((await scene.maintain()).compaction).toMatchObject({ files: 4, into: 1 });
    expect(await idsNow()).toEqual(before);
    if (version < 3) return;
    const { metadataLocation } = await scene.table();
    const { stdout } = await runSpark(
      `import json, sys
rows = spark.read.format('iceberg').load(sys.argv[1]).selectExpr('id', '_row_id', '_last_updated_sequence_number').collect()
print(json.dumps(sorted([r[0], r[1], r[2]] for r in rows)))`,
      [metadataLocation.replace('file://', '')],
    );
    const found = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect(found).toEqual(before.map((id) => [id, id, 1 + Math.floor(id / 50)]));
    expect(await Array.fromAsync(planFiles(await scene.table()))).toHaveLength(1);
  },
);
