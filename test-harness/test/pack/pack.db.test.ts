import { globSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findOldNode, installPacked, mustRun, runProcess, temporaryFolder, versionOf } from '../../src/index.ts';

// Compiles all packages and installs what they need from the registry.
const INSTALL_TIMEOUT_MS = 600_000;

const folder = await temporaryFolder('fjord-pack');
let user = '';

beforeAll(async () => {
  user = await installPacked(folder.path);
}, INSTALL_TIMEOUT_MS);

afterAll(() => folder[Symbol.asyncDispose]());

test('the installed fjord tells its version', async () => {
  const { stdout } = await mustRun('npx', ['--no-install', 'fjord', '--version'], { cwd: user });
  expect(stdout).toContain(versionOf('cli'));
});

test.for([
  { program: 'fjord-source-postgres', kind: 'source' },
  { program: 'fjord-dest-iceberg', kind: 'destination' },
])('the installed $program prints its spec on one line', async ({ program, kind }) => {
  const { stdout } = await mustRun('npx', ['--no-install', program, 'spec'], { cwd: user });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'SPEC', kind });
});

test.for(['fjord', 'fjord-source-postgres', 'fjord-dest-iceberg'])(
  '%s on Node 20 says which Node it needs',
  async (name) => {
    const node = await findOldNode(folder.path);
    const bin = path.join(user, 'node_modules', '.bin', name);
    const { exitCode, stdout, stderr } = await runProcess(node, [bin, 'spec']);
    expect(stdout).toBe('');
    expect(stderr).toMatch(new RegExp(`^${name} needs Node 24 or newer; this is v20\\.[^\\n]*\\n$`));
    expect(exitCode).toBe(2);
  },
);

test('a tarball holds what was built and neither sources nor tests', () => {
  const files = globSync('node_modules/@fjord/*/**/*', { cwd: user }).filter((file) => !file.includes('/dist'));
  const shipped = files.map((file) => file.split('/').slice(3).join('/'));
  expect(
    [...new Set(shipped)].filter((file) => !/^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(file)),
  ).toEqual([]);
});
