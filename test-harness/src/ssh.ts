import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { findFreePort } from './free-port.ts';
import { GuardedServer } from './guarded-server.ts';
import { mustRun } from './run-process.ts';
import { findSystemProgram } from './system-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** A pair of SSH keys: the file with the private one, the public one as `type base64`, its fingerprint as `SHA256:…`. */
export interface SshKey {
  file: string;
  publicKey: string;
  fingerprint: string;
}

/** A running OpenSSH server that lets the present user in with `clientKey`, to forward connections. */
export interface SshServer extends AsyncDisposable {
  host: string;
  port: number;
  user: string;
  clientKey: SshKey;
  hostKeys: SshKey[];
  readonly log: string;
  /** Lets a further key in. */
  authorize(key: SshKey): Promise<void>;
}

/** Installs what `startSshServer` and `startSshAgent` run, where it is missing. */
export async function prepareSsh(): Promise<void> {
  await findSystemProgram('ssh-keygen', { package: 'openssh-client' });
  await findSystemProgram('sshd', { package: 'openssh-server' });
}

/** Starts an OpenSSH server (sshd) on 127.0.0.1 with host keys of these types; the first is a client's usual choice. */
export async function startSshServer(hostKeyTypes: string[] = ['ed25519']): Promise<SshServer> {
  const [command, port, folder] = await Promise.all([
    findSystemProgram('sshd', { package: 'openssh-server' }),
    findFreePort(),
    temporaryFolder('fjord-ssh'),
  ]);
  const clientKey = await makeSshKey(path.join(folder.path, 'client'));
  const hostKeys: SshKey[] = [];
  for (const type of hostKeyTypes) hostKeys.push(await makeSshKey(path.join(folder.path, `host-${type}`), { type }));
  const files = { config: path.join(folder.path, 'sshd_config'), keys: path.join(folder.path, 'authorized_keys') };
  await writeFile(files.keys, `${clientKey.publicKey}\n`, { mode: 0o600 });
  await writeFile(files.config, configText({ port, keysFile: files.keys, hostKeys }));
  // Root's sshd wants this folder; Debian makes it when the service starts.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const args = ['-D', '-e', '-f', files.config];
  const server = new GuardedServer({ command, args, cwd: folder.path, lastSignal: 'TERM' });
  await server.untilLine('Server listening', START_TIMEOUT_MS);
  return {
    host: HOST,
    port,
    user: userInfo().username,
    clientKey,
    hostKeys,
    get log() {
      return server.log;
    },
    authorize: ({ publicKey }) => appendFile(files.keys, `${publicKey}\n`),
    async [Symbol.asyncDispose]() {
      server.signal('TERM');
      await server.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Makes a pair of SSH keys in `file` and `file.pub`. */
export async function makeSshKey(file: string, options: { type?: string; passphrase?: string } = {}): Promise<SshKey> {
  const program = await findSystemProgram('ssh-keygen', { package: 'openssh-client' });
  const { type = 'ed25519', passphrase = '' } = options;
  await mustRun(program, ['-q', '-t', type, '-N', passphrase, '-C', 'fjord', '-f', file]);
  const [kind = '', key = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
  const { stdout } = await mustRun(program, ['-l', '-f', `${file}.pub`]);
  return { file, publicKey: `${kind} ${key}`, fingerprint: stdout.split(' ')[1] ?? '' };
}

/** Starts an SSH agent that holds a private key; `socket` is where it listens. */
export async function startSshAgent(key: SshKey): Promise<{ socket: string } & AsyncDisposable> {
  const [command, add, folder] = await Promise.all([
    findSystemProgram('ssh-agent', { package: 'openssh-client' }),
    findSystemProgram('ssh-add', { package: 'openssh-client' }),
    temporaryFolder('fjord-agent'),
  ]);
  const socket = path.join(folder.path, 'agent');
  const agent = new GuardedServer({ command, args: ['-D', '-a', socket], cwd: folder.path, lastSignal: 'TERM' });
  await agent.untilLine('SSH_AUTH_SOCK', START_TIMEOUT_MS);
  await mustRun(add, ['-q', key.file], { env: { SSH_AUTH_SOCK: socket } });
  return {
    socket,
    async [Symbol.asyncDispose]() {
      agent.signal('TERM');
      await agent.untilExit(STOP_TIMEOUT_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}

type Place = { port: number; keysFile: string; hostKeys: SshKey[] };

function configText({ port, keysFile, hostKeys }: Place): string {
  return [
    `ListenAddress ${HOST}:${port}`,
    ...hostKeys.map(({ file }) => `HostKey ${file}`),
    `AuthorizedKeysFile ${keysFile}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    'AllowTcpForwarding yes',
    '',
  ].join('\n');
}
