import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Arguments } from './main.ts';

/** Names of packages that are no short names: a scope, or a whole name. */
const PACKAGE = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*(?:@[\w.^~-]+)?$/;
const DESTINATIONS: ReadonlySet<string> = new Set(['iceberg']);

/** `fjord add CONNECTOR`: installs a connector beside the pipeline, by the package manager that the folder uses. */
export async function add({ subject, json }: Arguments): Promise<number> {
  if (subject === undefined || !PACKAGE.test(subject)) {
    process.stderr.write('error: fjord add needs a connector.\nfix: fjord add postgres, or the name of a package.\n');
    return 2;
  }
  const name = packageOf(subject);
  const manager = managerOf(process.cwd());
  if (!json) process.stdout.write(`${manager} ${INSTALL[manager]} ${name}\n`);
  const child = spawn(manager, [INSTALL[manager], name], { stdio: json ? ['ignore', 'ignore', 'inherit'] : 'inherit' });
  const code = await once(child, 'exit').then(
    ([exit]: unknown[]) => exit,
    () => undefined,
  );
  if (json) process.stdout.write(`${JSON.stringify({ package: name, installed: code === 0 })}\n`);
  if (code === 0) return 0;
  process.stderr.write(
    `error: ${name} could not be installed.\nfix: See what ${manager} says above; or give the package's own name.\n`,
  );
  return 2;
}

/** The package of a short name: `postgres`, `iceberg`; any other name is the package's own. */
export function packageOf(connector: string): string {
  if (connector.startsWith('@')) return connector;
  const [name = connector] = connector.split('@');
  return DESTINATIONS.has(name) ? `@fjord/dest-${connector}` : `@fjord/source-${connector}`;
}

const INSTALL = { npm: 'install', pnpm: 'add', yarn: 'add', bun: 'add' } as const;

/** By the lock file of the folder or of one above it. */
function managerOf(folder: string): keyof typeof INSTALL {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, 'pnpm-lock.yaml'))) return 'pnpm';
    if (existsSync(path.join(at, 'yarn.lock'))) return 'yarn';
    if (existsSync(path.join(at, 'bun.lock'))) return 'bun';
    if (existsSync(path.join(at, 'package-lock.json')) || at === path.dirname(at)) return 'npm';
  }
}
