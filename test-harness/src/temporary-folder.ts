import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder that is removed with all it holds at the end of its `await using` scope. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes a folder that other users may read (a database server runs as one); it is kept if FJORD_KEEP is set. */
export async function temporaryFolder(prefix = 'fjord'): Promise<TemporaryFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), `${prefix}-`));
  await chmod(folder, 0o755);
  return {
    path: folder,
    async [Symbol.asyncDispose]() {
      if (process.env['FJORD_KEEP']) return;
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
