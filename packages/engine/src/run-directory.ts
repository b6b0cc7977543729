import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PREFIX = 'fjord-run-';
/** Connectors read their files within seconds of their start: an older folder of a dead process is nobody's any more. */
const STALE_AFTER_MS = 60_000;

/** A private folder (0700) for the files that connectors are started with (0600); removed at the end of its scope. */
export class RunDirectory implements AsyncDisposable {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  /** Makes the folder, having removed those that killed runs of this user have left. */
  static async open(parent: string = tmpdir()): Promise<RunDirectory> {
    await removeStale(parent);
    return new RunDirectory(await mkdtemp(path.join(parent, `${PREFIX}${process.pid}-`)));
  }

  /** Writes a value as JSON, readable by this user only, and returns the file's path. */
  write(name: string, value: unknown): Promise<string> {
    return this.writeText(name, JSON.stringify(value));
  }

  /** Writes a text, readable by this user only, and returns the file's path. */
  async writeText(name: string, text: string): Promise<string> {
    const file = path.join(this.path, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^fjord-run-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = path.join(parent, name);
    const found = await stat(folder).catch(() => undefined);
    // The pid may belong to another container that shares this folder: hence the age, too.
    if (found === undefined || found.uid !== process.getuid?.() || Date.now() - found.mtimeMs < STALE_AFTER_MS)
      continue;
    await rm(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
