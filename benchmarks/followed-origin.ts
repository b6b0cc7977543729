import { once } from 'node:events';
import { decodeValue, openSqlCatalog, planFiles, type Table } from '@fjord/iceberg';
import type { PostgresServer } from '@fjord/test-harness';
import { openInstalled } from './installed.ts';
import { writePipeline } from './load.ts';
import { startSync } from './measure-sync.ts';
import type { Options } from './options.ts';
import { openTarget } from './target.ts';

/** A table of a server of the benchmark's own, as the source of a pipeline that follows it; the password is in `BENCH_PASSWORD`. */
function followedOrigin({ host, port, user, database }: PostgresServer, stream: string) {
  const config = { host, port, user, database, password: '${env:BENCH_PASSWORD}', tls: { mode: 'disable' } };
  const source = { connector: 'postgres', config };
  return { source, environment: {}, stream, rows: 0, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** A table that is followed, and what of the destination's config differs. */
type Followed = { folder: string; server: PostgresServer; stream: string; destination?: object };

/** Starts a sync that follows a table into a warehouse below `folder`. `stop` is aborted when it has ended, and by whoever wants an end; `end` waits for that. */
export async function startFollowing(options: Options, { folder, server, stream, destination = {} }: Followed) {
  const installed = options.checkout ? undefined : await openInstalled();
  const target = await openTarget(options, folder);
  Object.assign(target.destination.config, destination);
  const file = await writePipeline(folder, followedOrigin(server, stream), target, { syncMode: 'changes' });
  const environment = { BENCH_PASSWORD: server.password };
  const program = installed === undefined ? {} : { installed };
  const child = startSync(file, { ...options, ...program, folder, environment, isFollowing: true });
  let log = '';
  // Only the end is shown if it fails; what came before would grow with the run.
  child.stderr.on('data', (data: Buffer) => (log = (log + data.toString()).slice(-4000)));
  child.stdout.resume();
  const stop = new AbortController();
  const ended = once(child, 'close').then(() => stop.abort());
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { child, warehouse: `${folder}/warehouse`, log: () => log, stop, end };
}

/** The table that the pipeline makes of it in a warehouse on local disk; undefined before its first commit. */
export async function loadFollowed(warehouse: string, name: string): Promise<Table | undefined> {
  await using catalog = await openSqlCatalog({ uri: `sqlite:///${warehouse}/catalog.db`, warehouse, name: 'fjord' });
  return catalog.loadTable({ namespace: ['public'], name });
}

/** The newest value of a column of times, in milliseconds, by the upper bounds of the table's files. */
export async function newestMs(table: Table, column: string): Promise<number | undefined> {
  const field = table.metadata.schemas.at(-1)?.fields.find(({ name }) => name === column);
  if (!field) return undefined;
  let newest: bigint | undefined;
  for await (const { file } of planFiles(table)) {
    const bound = file.upperBounds?.get(field.id);
    const value = bound && decodeValue('timestamptz', bound);
    if (typeof value === 'bigint' && (newest === undefined || value > newest)) newest = value;
  }
  return newest === undefined ? undefined : Number(newest) / 1000;
}
