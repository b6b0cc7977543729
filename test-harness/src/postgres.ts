import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, escapeIdentifier, type QueryResultRow } from 'pg';
import { exists } from './cache.ts';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { findPostgresBinaries, type PostgresBinaries, type PostgresMajor } from './postgres-binaries.ts';
import { mustRun } from './run-process.ts';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

const HOST = '127.0.0.1';
const USER = 'fjord';
const PASSWORD_FILE = 'password';
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

// No fsync makes tests several times faster, and kills of the server process lose nothing by it.
/** The settings of a test's server, unless it asks for others. */
export const SETTINGS: Record<string, string> = {
  fsync: 'off',
  wal_level: 'logical',
  max_wal_senders: '10',
  max_replication_slots: '10',
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
  unix_socket_directories: '',
  listen_addresses: HOST,
};

/** `settings` are server settings (postgresql.conf); `databases` are created, the first is the default; `port` is a free one if absent; `folder` holds the data and is kept: a cluster found in it is started again; `major` is the version of PostgreSQL, 18 if absent. */
export interface PostgresOptions {
  settings?: Record<string, string>;
  databases?: string[];
  port?: number;
  folder?: string;
  major?: PostgresMajor;
}

/** How a stop treats sessions: waits for them, ends them, or leaves without a checkpoint, to recover at the next start. */
export type StopMode = 'smart' | 'fast' | 'immediate';

/** Starts a new PostgreSQL server on 127.0.0.1, with a superuser and a random password; it is ready when this resolves. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const [binaries, port] = await Promise.all([findPostgresBinaries(options.major), options.port ?? findFreePort()]);
  const temporary = options.folder === undefined ? await temporaryFolder('fjord-postgres') : undefined;
  const folder = options.folder ?? temporary?.path ?? '';
  const databases = options.databases ?? [];
  const server = new PostgresServer({
    binaries,
    port,
    folder,
    temporary,
    password: (await readPassword(folder)) ?? randomBytes(12).toString('hex'),
    database: databases[0] ?? 'postgres',
    settings: { ...SETTINGS, ...options.settings },
  });
  await server.initialise();
  await server.start();
  const present = await server.query<{ datname: string }>('SELECT datname FROM pg_database', [], 'postgres');
  const missing = databases.filter((name) => !present.some(({ datname }) => datname === name));
  for (const name of missing) await server.query(`CREATE DATABASE ${escapeIdentifier(name)}`, [], 'postgres');
  return server;
}

/** Where a server and its files are; `temporary` goes with it. */
export interface PostgresPlace {
  binaries: PostgresBinaries;
  port: number;
  folder: string;
  temporary: TemporaryFolder | undefined;
  password: string;
  database: string;
  settings: Record<string, string>;
}

/** A PostgreSQL server of one's own: stopped and removed at the end of its `await using` scope, and never outliving this process. */
export class PostgresServer {
  readonly host = HOST;
  readonly user = USER;
  readonly port: number;
  readonly password: string;
  readonly database: string;
  /** The folder with the cluster's files. */
  readonly dataFolder: string;
  readonly #place: PostgresPlace;
  readonly #clients = new Set<Client>();
  #server: GuardedServer | undefined;

  constructor(place: PostgresPlace) {
    this.#place = place;
    this.port = place.port;
    this.password = place.password;
    this.database = place.database;
    this.dataFolder = path.join(place.folder, 'data');
  }

  /** A postgresql:// address of the default database, user and password included. */
  get connectionString(): string {
    return `postgresql://${this.user}:${this.password}@${this.host}:${this.port}/${encodeURIComponent(this.database)}`;
  }

  /** Where its programs are, and the user that they run as. */
  get binaries(): PostgresBinaries {
    return this.#place.binaries;
  }

  /** The last lines of the server's log. */
  get log(): string {
    return this.#server?.log ?? '';
  }

  /** Makes the cluster's files, if they are not there; `startPostgres` has done it. */
  async initialise(): Promise<void> {
    const { binaries, folder } = this.#place;
    const passwordFile = path.join(folder, PASSWORD_FILE);
    if (await exists(path.join(this.dataFolder, 'PG_VERSION'))) return;
    await mkdir(this.dataFolder, { recursive: true, mode: 0o700 });
    await writeFile(passwordFile, this.password, { mode: 0o600 });
    for (const target of binaries.user === undefined ? [] : [this.dataFolder, passwordFile]) {
      await chown(target, binaries.user?.uid ?? 0, binaries.user?.gid ?? 0);
    }
    const program = ['--pgdata', this.dataFolder, '--username', USER, '--pwfile', passwordFile];
    const traits = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
    await mustRun(binaries.initdb, [...program, ...traits], { cwd: folder, env: { LC_ALL: 'C' }, ...binaries.user });
  }

  /** Starts the server on its data, after `stop` or `kill` (recovering if need be), and resolves when it takes connections. */
  async start(): Promise<void> {
    if (this.#server?.isRunning === true) return;
    const { binaries, port, folder, settings } = this.#place;
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#server = new GuardedServer({
      command: binaries.postgres,
      args: ['-D', this.dataFolder, '-p', String(port), ...flags],
      cwd: folder,
      env: { LC_ALL: 'C' },
      lastSignal: 'QUIT',
      ...(binaries.user === undefined ? {} : { user: binaries.user }),
    });
    try {
      await this.#server.untilLine('database system is ready to accept', START_TIMEOUT_MS);
    } catch (cause) {
      const why = this.log.includes('Address already in use')
        ? `the port is taken by another program. End that one, or try again: a port that is not asked for is a free one.\n${this.log}`
        : String(cause);
      throw new Error(`PostgreSQL on port ${port} did not start: ${why}`, { cause });
    }
  }

  /** Stops the server; `start` continues with the same data. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    await this.#closeClients();
    this.#server?.signal(mode === 'smart' ? 'TERM' : mode === 'fast' ? 'INT' : 'QUIT');
    await this.#server?.untilExit(STOP_TIMEOUT_MS);
  }

  /** Kills the server and all its processes with SIGKILL, as a power cut would; `start` recovers. */
  async kill(): Promise<void> {
    const postmaster = this.#server?.isRunning === true ? this.#server.pid : undefined;
    if (postmaster === undefined) return;
    const children = await findChildren(postmaster);
    for (const pid of [postmaster, ...children]) killIfAlive(pid);
    await this.#server?.untilExit(STOP_TIMEOUT_MS);
  }

  /** Opens a connection; it is closed with the server at the latest. */
  async client(database: string = this.database): Promise<Client> {
    const { host, port, user, password } = this;
    const client = new Client({ host, port, user, password, database });
    // A server that is stopped on purpose breaks its connections: whoever still uses one gets the error from the query.
    client.on('error', () => {});
    client.on('end', () => this.#clients.delete(client));
    await client.connect();
    this.#clients.add(client);
    return client;
  }

  /** Runs one statement (or several without values) on a connection of its own and returns the rows. */
  async query<Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    values: unknown[] = [],
    database: string = this.database,
  ): Promise<Row[]> {
    const client = await this.client(database);
    try {
      const result = await client.query<Row>(values.length === 0 ? { text: sql } : { text: sql, values });
      // Several statements give an array of results, which the types of pg do not tell.
      return (Array.isArray(result) ? (result.at(-1) as typeof result) : result).rows;
    } finally {
      await client.end();
    }
  }

  /** Stops the server at once and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeClients();
    this.#server?.signal('QUIT');
    await this.#server?.untilExit(STOP_TIMEOUT_MS);
    await this.#place.temporary?.[Symbol.asyncDispose]();
  }

  async #closeClients(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.end().catch(() => {})));
  }
}

async function readPassword(folder: string): Promise<string | undefined> {
  return readFile(path.join(folder, PASSWORD_FILE), 'utf8').catch(() => undefined);
}

/** The processes whose parent is `parent`, directly. */
async function findChildren(parent: number): Promise<number[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await mustRun('pgrep', ['-P', String(parent)]);
    return stdout.trim().split('\n').map(Number);
  }
  const entries = await readdir('/proc');
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  const parents = await Promise.all(pids.map(readParent));
  return pids.filter((_, index) => parents[index] === parent);
}

async function readParent(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The program's name, in brackets, may hold spaces: fields are counted from its end.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return fields[1] === undefined ? undefined : Number(fields[1]);
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself since we looked.
  }
}
