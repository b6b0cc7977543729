import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, temporaryFolder } from '@fjord/test-harness';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm/node';
import { describe, expect, test } from 'vitest';

const PACKAGE = path.resolve(import.meta.dirname, '..');

describe('the README', () => {
  test('has an example of ten lines that runs and says what comes of it', async () => {
    const readme = await readFile(path.join(PACKAGE, 'README.md'), 'utf8');
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const lines = example.split('\n').filter((line) => line !== '');
    expect(lines.length).toBeLessThanOrEqual(10);
    await using folder = await temporaryFolder('readme');
    await linkPackages(folder.path);
    const print = 'console.log(JSON.stringify([rowCount, columns[0].upper.length, columns[1].upper]));';
    await writeFile(path.join(folder.path, 'example.ts'), `${example}${print}`);
    const { stdout } = await mustRun(process.execPath, ['example.ts'], { cwd: folder.path });
    expect(JSON.parse(stdout)).toEqual([2, 4, 717_710]);
    expect(example).toContain('columns[1].upper is 717710');
    const file = await readFile(path.join(folder.path, 'cities.parquet'));
    expect(tableFromIPC(readParquet(file).intoIPCStream()).toArray().map(String)).toEqual([
      '{"name": "Bergen", "people": 291940}',
      '{"name": "Oslo", "people": 717710}',
    ]);
  });

  test('is right that the package needs nothing at run time but Node, and snappy only if it is asked for', async () => {
    const manifest = JSON.parse(await readFile(path.join(PACKAGE, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
    expect(manifest.peerDependenciesMeta).toEqual({ snappy: { optional: true } });
    const imported = new Set<string>();
    for (const name of await readdir(path.join(PACKAGE, 'src'), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const source = await readFile(path.join(PACKAGE, 'src', name), 'utf8');
      for (const [, module = ''] of source.matchAll(/(?:from|import\()\s*'([^'.][^']*)'/g)) imported.add(module);
    }
    expect([...imported].filter((module) => !module.startsWith('node:'))).toEqual(['snappy']);
  });
});

async function linkPackages(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'node_modules', '@fjord'), { recursive: true });
  await symlink(PACKAGE, path.join(folder, 'node_modules', '@fjord', 'parquet'));
  await symlink(path.join(PACKAGE, 'node_modules', 'apache-arrow'), path.join(folder, 'node_modules', 'apache-arrow'));
  await writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
}
