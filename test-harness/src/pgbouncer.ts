import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import type { PostgresServer } from './postgres.ts';
import { findUnprivilegedUser } from './postgres-binaries.ts';
import { findSystemProgram } from './system-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** `poolMode` as in pgbouncer.ini; `settings` are further lines of it; `users` are let in beside the server's own. */
export type PgBouncerOptions = {
  poolMode: 'session' | 'transaction' | 'statement';
  settings?: Record<string, string>;
  users?: Record<string, string>;
};

/** A running PgBouncer: what a client needs to connect to the server through it. */
export interface PgBouncer extends AsyncDisposable {
  host: string;
  port: number;
  readonly log: string;
}

/** Finds PgBouncer, installing it where it is missing. */
export async function preparePgBouncer(): Promise<string> {
  return findSystemProgram('pgbouncer', { package: 'pgbouncer' });
}

/** Starts a PgBouncer on 127.0.0.1 before a PostgreSQL server; all of its databases can be reached through it. */
export async function startPgBouncer(server: PostgresServer, options: PgBouncerOptions): Promise<PgBouncer> {
  const [command, port, folder] = await Promise.all([
    preparePgBouncer(),
    findFreePort(),
    temporaryFolder('fjord-pgbouncer'),
  ]);
  const files = { config: path.join(folder.path, 'pgbouncer.ini'), users: path.join(folder.path, 'users.txt') };
  await writeFile(files.config, configText(server, { port, usersFile: files.users, options }));
  const users = { [server.user]: server.password, ...options.users };
  await writeFile(
    files.users,
    Object.entries(users)
      .map((pair) => pair.map(quote).join(' ') + '\n')
      .join(''),
  );
  for (const file of Object.values(files)) await chmod(file, 0o644);
  const bouncer = new GuardedServer({
    command,
    args: [files.config],
    cwd: folder.path,
    lastSignal: 'KILL',
    // It does not run as root.
    ...(process.getuid?.() === 0 && { user: await findUnprivilegedUser() }),
  });
  await bouncer.untilLine('process up', START_TIMEOUT_MS);
  return {
    host: HOST,
    port,
    get log() {
      return bouncer.log;
    },
    async [Symbol.asyncDispose]() {
      bouncer.signal('INT');
      await bouncer.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

type Place = { port: number; usersFile: string; options: PgBouncerOptions };

function configText(server: PostgresServer, { port, usersFile, options }: Place): string {
  const settings: Record<string, string> = {
    listen_addr: HOST,
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: usersFile,
    pool_mode: options.poolMode,
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return ['[databases]', `* = host=${server.host} port=${server.port}`, '[pgbouncer]', ...lines, ''].join('\n');
}

const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
