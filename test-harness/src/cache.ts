import { randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

// Longer than the slowest build (Spark's download on a slow line): an older lock was left by a machine that went down.
const LOCK_EXPIRES_MS = 20 * 60_000;
const LOCK_POLL_MS = 250;

/** The folder that keeps what is slow to make, across checkouts: FJORD_CACHE, else ~/.cache/fjord. */
export function cacheFolder(): string {
  return process.env['FJORD_CACHE'] ?? path.join(homedir(), '.cache', 'fjord');
}

/**
 * Returns the folder `name` of the cache, made by `build` if it is not there. `build` fills a folder beside it which is then renamed,
 * so a half-made one is never seen; others who want the same wait meanwhile.
 */
export async function makeOnce(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(cacheFolder(), name);
  const lock = `${folder}.lock`;
  await mkdir(cacheFolder(), { recursive: true });
  while (!(await exists(folder))) {
    if (await takeLock(lock)) await buildLocked(folder, lock, build);
    else await delay(LOCK_POLL_MS);
  }
  return folder;
}

/** Whether a file or folder exists. */
export async function exists(target: string): Promise<boolean> {
  return access(target).then(
    () => true,
    () => false,
  );
}

async function buildLocked(folder: string, lock: string, build: (folder: string) => Promise<void>): Promise<void> {
  const draft = `${folder}.draft-${randomUUID()}`;
  try {
    if (await exists(folder)) return;
    await mkdir(draft);
    await build(draft);
    // Two may take over the same abandoned lock: then both build, and the first to rename wins.
    await rename(draft, folder).catch(async (cause: unknown) => {
      if (!(await exists(folder))) throw cause;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    return false;
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readFile(lock, 'utf8'), stat(lock)]);
    return Date.now() - mtimeMs > LOCK_EXPIRES_MS || (owner !== '' && !isAlive(Number(owner)));
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    // EPERM: it lives, and belongs to another user.
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
}
