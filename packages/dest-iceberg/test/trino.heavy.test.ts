import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  findTrinoProblem,
  queryWithTrino,
  sortRows,
  startRestCatalog,
  startS3,
  temporaryFolder,
} from '@fjord/test-harness';
import { expect, test } from 'vitest';
import { type RandomCase, upkeepIn } from './changes/follow-random.ts';

/** Trino reads format version 2 with deletes of all kinds, and version 3 with deletion vectors. */
const TABLES: Omit<RandomCase, 'seed'>[] = [
  { key: 'long', layout: { formatVersion: 2 } },
  { key: 'long', layout: { formatVersion: 2, partition: ['month(at)'], changes: { deleteFiles: 'equality' } } },
  { key: 'text', layout: { formatVersion: 3, partition: ['bucket(3, id)'] } },
];
const problem = await findTrinoProblem();

test.skipIf(problem !== undefined)(
  `Trino finds the rows of followed tables, all at once and by their values${problem === undefined ? '' : ` (${problem})`}`,
  async () => {
    await using s3 = await startS3();
    await using server = await startRestCatalog({ s3 });
    await using folder = await temporaryFolder('fjord-trino');
    const { endpoint, region, accessKeyId, secretAccessKey } = s3;
    const config = {
      warehouse: undefined,
      catalog: { type: 'rest', uri: server.uri, accessDelegation: 'none' },
      s3: { endpoint, region, accessKeyId, secretAccessKey, pathStyle: true },
    };
    const made = [];
    for (const [index, { key, layout }] of TABLES.entries()) {
      const own = path.join(folder.path, String(index));
      await mkdir(own);
      const target = { namespace: ['db'], name: `t${index}` };
      const random = { key, layout: { ...layout, target }, seed: 700 + index };
      made.push((await upkeepIn(own, random, { states: 25, config })).table);
    }
    const queries = made.flatMap((table, index) => {
      const [key = ''] = table.columns.map(({ name }) => name);
      const some = table.expected([key]).slice(0, 5);
      const all = `SELECT coalesce(CAST(${key} AS varchar), '-') || '|' || coalesce(CAST(amount AS varchar), '-') FROM t${index}`;
      return [all, ...some.map(([value]) => `${all} WHERE CAST(${key} AS varchar) = '${value}'`)];
    });
    const answers = await queryWithTrino(queries, { uri: server.uri, s3 });
    let at = 0;
    for (const table of made) {
      const [key = ''] = table.columns.map(({ name }) => name);
      const expected = table.expected([key, 'amount']).map((row) => row.map((value) => value ?? '-').join('|'));
      expect(sortRows(answers[at++]!.map((row) => [row]))).toEqual(sortRows(expected.map((row) => [row])));
      for (const [value] of table.expected([key]).slice(0, 5)) {
        expect(answers[at++]).toEqual(expected.filter((row) => row.startsWith(`${value}|`)));
      }
    }
  },
);
