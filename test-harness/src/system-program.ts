import path from 'node:path';
import { exists } from './cache.ts';
import { installSystemPackages } from './system-packages.ts';

// Programs of administrators are not on everybody's PATH.
const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin', '/opt/homebrew/bin'];

/** Finds a program of the system, installing the Debian package that has it where it is missing; `folders` are looked into first. */
export async function findSystemProgram(name: string, from: { package: string; folders?: string[] }): Promise<string> {
  const found = await findIn(name, from.folders);
  if (found !== undefined) return found;
  await installSystemPackages([from.package]);
  const installed = await findIn(name, from.folders);
  if (installed === undefined) throw new Error(`The package ${from.package} brought no program ${name}.`);
  return installed;
}

async function findIn(name: string, folders: string[] = []): Promise<string | undefined> {
  const all = [...folders, ...(process.env['PATH'] ?? '').split(path.delimiter), ...FOLDERS];
  for (const folder of all) if (await exists(path.join(folder, name))) return path.join(folder, name);
  return undefined;
}
