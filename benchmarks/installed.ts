import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { installPacked, makeOnce } from '@fjord/test-harness';

const ROOT = path.resolve(import.meta.dirname, '..');
/** All that a packed package is made of. */
const SOURCES = ['packages/*/package.json', 'packages/*/tsconfig*.json', 'packages/*/src/**/*.*', 'pnpm-lock.yaml'];

/**
 * The folder where npm has installed the packages as users get them, built from the checkout as it is now. Sources would run as well, but
 * stripping their types costs each thread some 20 MB that no user pays.
 */
export async function openInstalled(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of globSync(SOURCES, { cwd: ROOT }).toSorted())
    hash.update(file).update(readFileSync(path.join(ROOT, file)));
  const folder = await makeOnce(`bench-fjord-${hash.digest('hex').slice(0, 16)}`, async (draft) => {
    process.stdout.write('packing and installing Fjord as users get it, once for these sources ...\n');
    await installPacked(draft);
  });
  return path.join(folder, 'user');
}
