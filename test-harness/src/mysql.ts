import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeOnce } from './cache.ts';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { mustRun } from './run-process.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilAnswers } from './until-answers.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
/** Debian's unstable suite alone has MySQL; it moves, so what was unpacked once is kept. */
const PREFIX = 'mysql-sid';

/** A running MySQL or MariaDB server. */
export interface SqlServer extends AsyncDisposable {
  host: string;
  port: number;
  /** An account that may do anything. */
  user: string;
  password: string;
}

/** Why MySQL cannot be had on this machine; undefined if it can. */
export function findMySQLProblem(): string | undefined {
  const isThere = process.platform === 'linux' && process.arch === 'x64' && existsSync('/usr/bin/apt-get');
  return isThere ? undefined : 'MySQL comes from Debian, for Linux on amd64 only';
}

/** Unpacks MySQL and all that it needs into the cache, beside the system's own packages; nothing is installed. */
export function prepareMySQL(): Promise<string> {
  return makeOnce(PREFIX, async (folder) => {
    const apt = path.join(folder, 'apt');
    const root = path.join(folder, 'root');
    for (const part of ['lists/partial', 'archives/partial', 'etc'])
      await mkdir(path.join(apt, part), { recursive: true });
    await mkdir(root, { recursive: true });
    await writeFile(path.join(apt, 'status'), '');
    await writeFile(path.join(apt, 'sources.list'), `deb ${await debianMirror()} sid main\n`);
    const config = path.join(apt, 'apt.conf');
    await writeFile(config, aptConfig(apt));
    const env = { APT_CONFIG: config, DEBIAN_FRONTEND: 'noninteractive' };
    await mustRun('apt-get', ['update', '-q'], { env });
    const download = ['install', '-y', '-q', '--download-only', '--no-install-recommends', 'mysql-server-core'];
    await mustRun('apt-get', download, { env });
    const archives = path.join(apt, 'archives');
    const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb') && !name.startsWith('perl'));
    for (const name of packages) await mustRun('dpkg-deb', ['-x', path.join(archives, name), root]);
    await rm(apt, { recursive: true });
  });
}

/** Starts a MySQL server on 127.0.0.1; `options` are further ones of mysqld. */
export async function startMySQL(options: readonly string[] = []): Promise<SqlServer> {
  const [prefix, port, folder] = await Promise.all([prepareMySQL(), findFreePort(), temporaryFolder('fjord-mysql')]);
  const { command, args } = programOf(path.join(prefix, 'root'), folder.path);
  await mustRun(command, [...args, '--initialize-insecure']);
  const password = randomBytes(12).toString('hex');
  const setUp = path.join(folder.path, 'set-up.sql');
  await writeFile(
    setUp,
    `CREATE USER fjord IDENTIFIED BY '${password}'; GRANT ALL ON *.* TO fjord WITH GRANT OPTION;`.replace(/; /g, ';\n'),
    { mode: 0o600 },
  );
  const server = new GuardedServer({
    command,
    args: [
      ...args,
      `--init-file=${setUp}`,
      `--port=${port}`,
      `--bind-address=${HOST}`,
      `--socket=${path.join(folder.path, 'socket')}`,
      '--mysqlx=OFF',
      '--performance-schema=OFF',
      '--innodb-buffer-pool-size=64M',
      '--innodb-flush-log-at-trx-commit=0',
      ...options,
    ],
    cwd: folder.path,
    lastSignal: 'KILL',
  });
  await untilAnswers(server, { port, timeoutMs: START_TIMEOUT_MS });
  return {
    ...{ host: HOST, port, user: 'fjord', password },
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The program by its own loader and libraries: those of the system may be older. */
function programOf(root: string, folder: string): { command: string; args: string[] } {
  const libraries = [path.join(root, 'usr/lib/x86_64-linux-gnu'), path.join(root, 'usr/lib/mysql/private')];
  return {
    command: path.join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    args: [
      '--library-path',
      libraries.join(':'),
      path.join(root, 'usr/sbin/mysqld'),
      '--no-defaults',
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      `--datadir=${path.join(folder, 'data')}`,
      `--basedir=${path.join(root, 'usr')}`,
      `--lc-messages-dir=${path.join(root, 'usr/share/mysql')}`,
      `--plugin-dir=${path.join(root, 'usr/lib/mysql/plugin')}`,
      '--secure-file-priv=',
    ],
  };
}

/** The mirror that the system's own sources name. */
async function debianMirror(): Promise<string> {
  const files = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const mirror = /^(?:deb(?:\s+\[[^\]]*\])?|URIs:)\s+(https?:\S+)/m.exec(text)?.[1];
    if (mirror) return mirror;
  }
  return 'http://deb.debian.org/debian';
}

const aptConfig = (apt: string) => `
Dir::State "${apt}";
Dir::State::status "${apt}/status";
Dir::State::lists "${apt}/lists";
Dir::Cache "${apt}";
Dir::Cache::archives "${apt}/archives";
Dir::Etc::sourcelist "${apt}/sources.list";
Dir::Etc::sourceparts "-";
APT::Architecture "amd64";
APT::Sandbox::User "root";
`;
