import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, runProcess } from './run-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A small file system of its own at `path`, which the other programs of this machine see too; it goes with its `await using` scope. */
export interface MemoryDisk extends AsyncDisposable {
  readonly path: string;
  /** Makes it this large, writable, with all that it holds kept. */
  resize(megabytes: number): Promise<void>;
}

/** Why no file system can be mounted here, as a reason to skip a test; undefined if it can. */
export async function findMountProblem(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only Linux has tmpfs';
  await using folder = await temporaryFolder('fjord-mount');
  try {
    await using _disk = await mountMemoryDisk(path.join(folder.path, 'disk'), { megabytes: 1 });
    return undefined;
  } catch {
    return 'mounting needs root, and a container that allows it';
  }
}

/** Mounts a file system in memory (tmpfs) at a folder, which is made if missing. */
export async function mountMemoryDisk(
  folder: string,
  { megabytes, isReadOnly = false }: { megabytes: number; isReadOnly?: boolean },
): Promise<MemoryDisk> {
  await mkdir(folder, { recursive: true });
  const options = `size=${megabytes}m,${isReadOnly ? 'ro' : 'rw'}`;
  await mustRun('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  return {
    path: folder,
    resize: async (size) => void (await mustRun('mount', ['-o', `remount,rw,size=${size}m`, folder])),
    // Lazily: whoever still has a file open there does not keep the folder from being removed.
    [Symbol.asyncDispose]: async () => void (await runProcess('umount', ['--lazy', folder])),
  };
}
