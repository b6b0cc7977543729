import { chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { PostgresServer, SETTINGS } from './postgres.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { mustRun } from './run-process.ts';
import { findSystemProgram } from './system-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * Starts a streaming standby of a server; it takes read-only connections when this resolves. Only version 15 comes with pg_basebackup: of
 * another one (`copied`) the files are copied, for which it is stopped and started again.
 */
export async function startPostgresStandby(
  primary: PostgresServer,
  settings: Record<string, string> = {},
  how: 'backed up' | 'copied' = 'backed up',
): Promise<PostgresServer> {
  const [port, temporary] = await Promise.all([findFreePort(), temporaryFolder('fjord-standby')]);
  const { binaries, password, database } = primary;
  const standby = new PostgresServer({
    binaries,
    port,
    folder: temporary.path,
    temporary,
    password,
    database,
    settings: { ...SETTINGS, ...settings },
  });
  // The folder is its user's, as that of any server is when its files are made.
  await chown(temporary.path, binaries.user?.uid ?? -1, binaries.user?.gid ?? -1);
  if (how === 'copied') await copyFiles(primary, standby);
  else await backUp(primary, standby, temporary.path);
  await standby.start();
  return standby;
}

async function backUp(primary: PostgresServer, standby: PostgresServer, folder: string): Promise<void> {
  const { user } = standby.binaries;
  await mkdir(standby.dataFolder, { mode: 0o700 });
  await chown(standby.dataFolder, user?.uid ?? -1, user?.gid ?? -1);
  const program = await findSystemProgram('pg_basebackup', {
    package: 'postgresql-client-15',
    folders: [path.dirname((await findPostgresBinaries(15)).postgres)],
  });
  const flags = ['--pgdata', standby.dataFolder, '--write-recovery-conf', '--checkpoint=fast', '--no-sync'];
  const env = { PGPASSWORD: primary.password, LC_ALL: 'C' };
  await mustRun(program, [...flags, '-d', connectionTo(primary)], { cwd: folder, env, ...user });
}

/** A copy of the files of a stopped server becomes its standby as it is. */
async function copyFiles(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  await primary.stop();
  await copyCluster(primary, standby);
  await primary.start();
  const connection = `${connectionTo(primary)} password=${primary.password} dbname=${primary.database}`;
  await writeFile(path.join(standby.dataFolder, 'postgresql.auto.conf'), `primary_conninfo = '${connection}'\n`);
  await writeFile(path.join(standby.dataFolder, 'standby.signal'), '');
}

/** Gives a server that does not run the files of another that does not. */
export async function copyCluster(from: PostgresServer, to: PostgresServer): Promise<void> {
  await mustRun('rm', ['-rf', to.dataFolder]);
  await mustRun('cp', ['-a', from.dataFolder, to.dataFolder]);
}

const connectionTo = ({ host, port, user }: PostgresServer) =>
  `host=${host} port=${port} user=${user} application_name=standby`;
