import { globSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, type PostgresServer } from '@fjord/test-harness';

const CLIENTS = 4;
/** Rows of 20 branches: 300 MB, more than a cache of the processor, less than the server's buffers. */
const SCALE = 20;

/** The latencies of one run of pgbench, in milliseconds and in order, and its transactions a second. */
export type PgbenchRun = { latenciesMs: number[]; tps: number };

/** Finds pgbench: in the PATH, or where Debian and its relatives put it. */
export function findPgbench(): string {
  const found = [
    ...(process.env['PATH'] ?? '').split(':').map((folder) => path.join(folder, 'pgbench')),
    ...globSync('/usr/lib/postgresql/*/bin/pgbench').toSorted().toReversed(),
  ].find((file) => globSync(file).length > 0);
  if (found === undefined)
    throw new Error('pgbench is missing. Install it (on Debian, as root: apt-get install postgresql).');
  return found;
}

/** pgbench against a server: its tables are made once, in a database of their own. */
export class Pgbench {
  readonly #server: PostgresServer;
  readonly #program = findPgbench();

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  /** Makes its tables, if they are not there. */
  async prepare(): Promise<void> {
    const made = await this.#server.query("SELECT FROM pg_database WHERE datname = 'pgbench'");
    if (made.length > 0) return;
    await this.#server.query('CREATE DATABASE pgbench');
    await this.#run(['--initialize', `--scale=${SCALE}`, '--quiet']);
  }

  /** Transactions a second with nothing to hold it back. */
  async maximum(seconds: number): Promise<number> {
    return tpsIn(await this.#run([...CLIENT_OPTIONS, `--time=${seconds}`]));
  }

  /** Runs at a steady rate and takes the latency of each transaction, counted from when it was due. */
  async atRate(rate: number, seconds: number, folder: string): Promise<PgbenchRun> {
    await mkdir(folder, { recursive: true });
    const log = ['--log', `--log-prefix=${path.join(folder, 'log')}`];
    const output = await this.#run([...CLIENT_OPTIONS, `--time=${seconds}`, `--rate=${rate.toFixed(1)}`, ...log]);
    const texts = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
    const lines = texts.join('').trim().split('\n');
    // client, transaction, microseconds, …
    const latenciesMs = lines.map((line) => Number(line.split(' ')[2]) / 1000).toSorted((a, b) => a - b);
    return { latenciesMs, tps: tpsIn(output) };
  }

  async #run(args: string[]): Promise<string> {
    const { host, port, user, password } = this.#server;
    const place = [`--host=${host}`, `--port=${port}`, `--username=${user}`];
    const { stdout } = await mustRun(this.#program, [...args, ...place, 'pgbench'], { env: { PGPASSWORD: password } });
    return stdout;
  }
}

/** Its small tables are vacuumed before each run, as it does unless told otherwise: dead rows would make each run slower than the one before. */
const CLIENT_OPTIONS = [`--client=${CLIENTS}`, '--jobs=1'];

/** The value below which the given share of sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function tpsIn(output: string): number {
  const found = /^tps = ([\d.]+)/m.exec(output);
  if (!found) throw new Error(`pgbench did not say how many transactions it made:\n${output}`);
  return Number(found[1]);
}
