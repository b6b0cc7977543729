import { spawn } from 'node:child_process';
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PostgresServer } from '@fjord/test-harness';

const CLI = path.resolve(import.meta.dirname, '../../packages/cli/src/bin.ts');

/** Writes the pipeline file of the demo: the id stays, so that each run goes on where the last one ended. */
export async function writePipeline(file: string, { host, port, user }: PostgresServer): Promise<void> {
  await writeFile(
    file,
    `id: demo-shop
source:
  connector: postgres
  config:
    host: ${host}
    port: ${port}
    database: shop
    user: ${user}
    password: \${env:SHOP_PASSWORD}
    tls: { mode: disable } # over loopback only
destination:
  connector: iceberg
  config: { warehouse: ./warehouse }
streams:
  - match: public.*
    target: { namespace: shop }
`,
  );
}

/** Runs `fjord sync` as anybody would, with its live view on a terminal; gives the seconds it took. */
export async function sync(file: string, password: string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [CLI, 'sync', file], {
    env: { ...process.env, SHOP_PASSWORD: password },
    // Without a terminal the operator's lines would stand between ours: shown only if it fails.
    stdio: ['ignore', 'inherit', process.stderr.isTTY ? 'inherit' : 'pipe'],
  });
  let log = '';
  child.stderr?.on('data', (data: Buffer) => (log = (log + data.toString()).slice(-4000)));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`fjord sync ended with exit code ${String(code)}.\n${log}`);
  return (performance.now() - start) / 1000;
}

/** Every file of a folder with its size and time: equal before and after means that nothing was written. */
export async function fingerprint(folder: string): Promise<{ files: number; text: string }> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const lines = await Promise.all(
    names
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map(async (name) => {
        const { size, mtimeMs } = await stat(path.join(folder, name));
        return `${name} ${size} ${mtimeMs}`;
      }),
  );
  return { files: lines.length, text: lines.join('\n') };
}
