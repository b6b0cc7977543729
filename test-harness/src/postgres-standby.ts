import { chown, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { PostgresServer, SETTINGS } from './postgres.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { mustRun } from './run-process.ts';
import { findSystemProgram } from './system-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Starts a streaming standby of a server of version 15 (the one with pg_basebackup); it takes read-only connections when this resolves. */
export async function startPostgresStandby(
  primary: PostgresServer,
  settings: Record<string, string> = {},
): Promise<PostgresServer> {
  const [binaries, port, temporary] = await Promise.all([
    findPostgresBinaries(15),
    findFreePort(),
    temporaryFolder('fjord-standby'),
  ]);
  const standby = new PostgresServer({
    binaries,
    port,
    folder: temporary.path,
    temporary,
    password: primary.password,
    database: primary.database,
    settings: { ...SETTINGS, ...settings },
  });
  await mkdir(standby.dataFolder, { mode: 0o700 });
  await chown(temporary.path, binaries.user?.uid ?? -1, binaries.user?.gid ?? -1);
  await chown(standby.dataFolder, binaries.user?.uid ?? -1, binaries.user?.gid ?? -1);
  const program = await findSystemProgram('pg_basebackup', {
    package: 'postgresql-client-15',
    folders: [path.dirname(binaries.postgres)],
  });
  const { host, user, password } = primary;
  const connection = `host=${host} port=${primary.port} user=${user} application_name=standby`;
  const args = [
    '--pgdata',
    standby.dataFolder,
    '--write-recovery-conf',
    '--checkpoint=fast',
    '--no-sync',
    '-d',
    connection,
  ];
  await mustRun(program, args, { cwd: temporary.path, env: { PGPASSWORD: password, LC_ALL: 'C' }, ...binaries.user });
  await standby.start();
  return standby;
}
