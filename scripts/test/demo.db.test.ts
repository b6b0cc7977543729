import { rm } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, temporaryFolder } from '@fjord/test-harness';
import { afterAll, expect, test } from 'vitest';
import { clusterFolder } from '../demo/shop.ts';

const folder = await temporaryFolder('fjord-demo');

afterAll(async () => {
  await rm(clusterFolder(folder.path), { recursive: true, force: true });
  await folder[Symbol.asyncDispose]();
});

async function demo(): Promise<string> {
  const script = path.resolve(import.meta.dirname, '../demo.ts');
  return (await mustRun(process.execPath, [script, folder.path], { env: { FORCE_COLOR: undefined } })).stdout;
}

test('the demo loads the shop, finds equal counts, and changes nothing when it is run again', async () => {
  const first = await demo();
  expect(first.match(/ ✓ equal/g)).toHaveLength(7);
  expect(first).toMatch(/222,569 rows in [\d.]+ s/);
  expect(first).toContain('September   1,943    652,064.28  1,419.70\n');
  expect(first).toContain('Handmade Cookbook  Newark     A27       3\n');
  expect(first).toContain('Run the demo again');
  const second = await demo();
  expect(second).toContain('the one of the last run');
  expect(second.match(/up to date/g)).toHaveLength(7);
  expect(second).toMatch(/0 rows, nothing to do: none of the \d+ files and folders of the tables\n {3}was changed/);
  expect(second.match(/ ✓ equal/g)).toHaveLength(7);
  for (const output of [first, second]) {
    // Besides what names the folder, all fits a terminal.
    const long = output.split('\n').filter((line) => line.length > 80 && !line.includes(path.basename(folder.path)));
    expect(long).toEqual([]);
    expect(output).not.toContain('\u001B');
  }
});
