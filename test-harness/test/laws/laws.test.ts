import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../src/index.ts';
import { findBrokenLaws } from './check-laws.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');

test('this workspace keeps its laws', () => {
  expect(findBrokenLaws(ROOT)).toEqual([]);
});

interface Planted {
  name: string;
  package: string;
  dependencies?: string[];
  file?: string;
  source?: string;
  found: string[];
}

const PLANTED: Planted[] = [
  {
    name: 'an engine that lists a connector',
    package: 'engine',
    dependencies: ['@fjord/core', '@fjord/source-postgres'],
    found: ['@fjord/engine depends on @fjord/source-postgres'],
  },
  {
    name: 'a connector that imports another',
    package: 'source-mysql',
    dependencies: ['@fjord/replication'],
    source: "import { planChunks } from '@fjord/source-postgres/chunks';",
    found: ['packages/source-mysql/src/index.ts imports @fjord/source-postgres'],
  },
  {
    name: 'a core that exports from above',
    package: 'core',
    source: "export {\n  readTable,\n} from '@fjord/iceberg';",
    found: ['packages/core/src/index.ts imports @fjord/iceberg'],
  },
  {
    name: 'a dynamic import against the arrows',
    package: 'iceberg',
    source: "const core = await import('@fjord/core');",
    found: ['packages/iceberg/src/index.ts imports @fjord/core'],
  },
  {
    name: 'a relative import into another package',
    package: 'dest-iceberg',
    source: "import { x } from '../../engine/src/index.ts';",
    found: ['packages/dest-iceberg/src/index.ts reaches out of its package: ../../engine/src/index.ts'],
  },
  {
    name: 'a dependency that is not listed',
    package: 'parquet',
    source: "import { createHash } from 'node:crypto';\nimport pg from 'pg';",
    found: ['packages/parquet/src/index.ts imports pg, which its package.json does not list under dependencies'],
  },
  {
    name: 'a drawer',
    package: 'core',
    file: 'rows/utils.ts',
    source: 'export {};',
    found: ['packages/core/src/rows/utils.ts is a drawer: name the one thing it gives'],
  },
  {
    name: 'a file name that is not in kebab-case',
    package: 'core',
    file: 'rowBatch.ts',
    source: 'export {};',
    found: ['packages/core/src/rowBatch.ts is not in kebab-case'],
  },
  {
    name: 'a file that is too long',
    package: 'core',
    source: 'export {};\n'.repeat(401),
    found: ['packages/core/src/index.ts has 401 lines, more than 400'],
  },
  {
    name: 'nothing where all is as it should be',
    package: 'dest-iceberg',
    dependencies: ['@fjord/core', '@fjord/iceberg', 'pg'],
    source:
      "import '@fjord/iceberg';\nimport type { A } from '@fjord/core/arrow';\nimport { b } from './b.ts';\nimport 'pg';",
    found: [],
  },
];

test.for(PLANTED)('finds $name', async (planted) => {
  await using workspace = await temporaryFolder();
  const folder = path.join(workspace.path, 'packages', planted.package);
  const file = path.join(folder, 'src', planted.file ?? 'index.ts');
  const dependencies = Object.fromEntries((planted.dependencies ?? []).map((name) => [name, 'workspace:^']));
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: `@fjord/${planted.package}`, dependencies }),
  );
  await writeFile(file, planted.source ?? '');
  expect(findBrokenLaws(workspace.path)).toEqual(planted.found);
});
