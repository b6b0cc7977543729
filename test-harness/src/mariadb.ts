import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import type { SqlServer } from './mysql.ts';
import { mustRun, runProcess } from './run-process.ts';
import { installSystemPackages } from './system-packages.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

/** A running MariaDB server with one empty database. */
export interface MariaDBServer extends SqlServer {
  /** A mysql:// address of the database, user and password included. */
  connectionString: string;
}

/** Finds MariaDB's server and installation programs; installs them (Debian) if they are missing. */
export async function prepareMariaDB(): Promise<void> {
  const found = await runProcess('mariadb-install-db', ['--help']).catch(() => undefined);
  if (found === undefined) await installSystemPackages(['mariadb-server']);
}

/** Starts a MariaDB server on 127.0.0.1 with a user `fjord` and a database of the given name; `options` are further ones of mariadbd. */
export async function startMariaDB(database = 'catalog', options: readonly string[] = []): Promise<MariaDBServer> {
  const [, port, folder] = await Promise.all([prepareMariaDB(), findFreePort(), temporaryFolder('fjord-mariadb')]);
  const data = path.join(folder.path, 'data');
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  await mustRun('mariadb-install-db', [
    ...user,
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]);
  const socket = path.join(folder.path, 'socket');
  const server = new GuardedServer({
    command: await serverProgram(),
    args: [
      '--no-defaults',
      ...user,
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--port=${port}`,
      `--bind-address=${HOST}`,
      '--innodb-flush-log-at-trx-commit=0',
      '--character-set-server=utf8mb4',
      ...options,
    ],
    cwd: folder.path,
    lastSignal: 'KILL',
  });
  await untilAnswers(server, { port, timeoutMs: START_TIMEOUT_MS });
  const password = randomBytes(12).toString('hex');
  const setUp = `CREATE DATABASE ${database}; CREATE USER fjord IDENTIFIED BY '${password}'; GRANT ALL ON *.* TO fjord WITH GRANT OPTION`;
  await mustRun('mariadb', ['--no-defaults', `--socket=${socket}`, '-uroot'], { input: setUp });
  return {
    ...{ host: HOST, port, user: 'fjord', password },
    connectionString: `mysql://fjord:${password}@${HOST}:${port}/${database}`,
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Debian keeps it where only the superuser's path leads. */
async function serverProgram(): Promise<string> {
  for (const command of ['mariadbd', '/usr/sbin/mariadbd', '/usr/libexec/mariadbd']) {
    const result = await runProcess(command, ['--version']).catch(() => undefined);
    if (result?.exitCode === 0) return command;
  }
  throw new Error('MariaDB is installed but its server program mariadbd was not found.');
}
