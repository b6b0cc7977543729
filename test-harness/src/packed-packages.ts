import { globSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mustRun } from './run-process.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

interface Manifest {
  name: string;
  version: string;
  packageManager?: string;
}

/** The version in a package's package.json, by the name of its folder under packages/. */
export function versionOf(folder: string): string {
  return readManifest(path.join(ROOT, 'packages', folder)).version;
}

/** Builds and packs every package and installs the tarballs with npm into `folder`/user, as a user would; returns that folder. */
export async function installPacked(folder: string): Promise<string> {
  const tarballs = path.join(folder, 'tarballs');
  const user = path.join(folder, 'user');
  await Promise.all([mkdir(tarballs), mkdir(user)]);
  const { packageManager = 'pnpm' } = readManifest(ROOT);
  await mustRun('npx', ['--yes', packageManager, 'run', 'build'], { cwd: ROOT, ...STEP });
  for (const target of globSync('packages/*', { cwd: ROOT })) {
    const pack = ['--yes', packageManager, 'pack', '--pack-destination', tarballs];
    await mustRun('npx', pack, { cwd: path.join(ROOT, target), ...STEP });
  }
  await writeFile(path.join(user, 'package.json'), JSON.stringify({ name: 'user', private: true }));
  const packed = globSync('*.tgz', { cwd: tarballs }).map((name) => path.join(tarballs, name));
  await mustRun('npm', ['install', '--no-audit', '--no-fund', ...packed], { cwd: user, ...STEP });
  return user;
}

/** A Node that is too old for the packages: the machine's own, or one from npm put into `folder`. */
export async function findOldNode(folder: string): Promise<string> {
  const own = await mustRun('/usr/bin/node', ['--version']).catch(() => undefined);
  if (own !== undefined && Number(/^v(\d+)/.exec(own.stdout)?.[1]) < 24) return '/usr/bin/node';
  const name = `node-${process.platform}-${process.arch}`;
  await mustRun('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `${name}@20`], STEP);
  return path.join(folder, 'node_modules', name, 'bin', 'node');
}

// What npm and pnpm were told by the one that runs the tests must not reach the user's npm.
const QUIET: Record<string, string | undefined> = {
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^(npm_|pnpm_|NODE_OPTIONS|VITEST)/i.test(name))
      .map((name) => [name, undefined]),
  ),
  TURBO_TELEMETRY_DISABLED: '1',
};

// All steps together take some 25 s on an idle machine; one that hangs must say which it is.
const STEP = { env: QUIET, timeoutMs: 180_000 };

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
}
