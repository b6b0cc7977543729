import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect as dial } from 'node:net';
import path from 'node:path';
import {
  findFreePort,
  makeSshKey,
  type PostgresServer,
  type SshServer,
  startPostgres,
  startSshAgent,
  startSshServer,
  startTcpProxy,
  temporaryFolder,
  type TemporaryFolder,
} from '@fjord/test-harness';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../src/connection.ts';
import type { SshTunnelOptions } from '../src/connection-options.ts';
import { chunkRequest, configFor, openDatabase, planRequest, readRows, selectNamed } from './postgres-fixture.ts';

let server: PostgresServer;
let ssh: SshServer;
let folder: TemporaryFolder;

beforeAll(async () => {
  [server, ssh, folder] = await Promise.all([
    startPostgres(),
    startSshServer(['ed25519', 'ecdsa']),
    temporaryFolder('fjord-known'),
  ]);
  await server.query(`CREATE TABLE t AS SELECT n AS id, repeat('x', 100) AS pad FROM generate_series(1, 50000) AS n`);
});
afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function tunnel(changes: Partial<SshTunnelOptions> = {}): SshTunnelOptions {
  const { host, port, user, clientKey, hostKeys } = ssh;
  const hostKey = hostKeys[0]?.fingerprint ?? '';
  return { host, port, user, privateKeyFile: clientKey.file, hostKey, ...changes };
}

async function knownHosts(...lines: string[]): Promise<string> {
  const file = path.join(folder.path, `known-${Math.random()}`);
  await writeFile(file, lines.join('\n'));
  return file;
}

const without = <Key extends keyof SshTunnelOptions>(key: Key, options: SshTunnelOptions) => {
  const { [key]: _, ...rest } = options;
  return rest;
};

async function answersThrough(sshTunnel: SshTunnelOptions): Promise<boolean> {
  await using connection = await connect(configFor(server, { sshTunnel }));
  const [row] = await connection.query<{ answers: boolean }>('SELECT true AS answers');
  return row?.answers ?? false;
}

test('a table is read through a tunnel, several chunks on one connection', async () => {
  await using database = openDatabase(server, { sshTunnel: tunnel() });
  const stream = await selectNamed(database, 'public.t');
  await using held = await database.holdSnapshot();
  const plan = await database.planChunks(stream, planRequest(1 << 20, { snapshot: held.token }));
  const rows = await readRows(database, stream, { plan, snapshot: held.token });
  expect(new Set(rows.map(({ id }) => id)).size).toBe(50_000);
  expect(plan.units).toBeGreaterThan(3);
});

test('a consumer that stops early cuts the tunnel, and the next read opens another', async () => {
  await using database = openDatabase(server, { sshTunnel: tunnel() });
  const stream = await selectNamed(database, 'public.t');
  const plan = await database.planChunks(stream, planRequest(1 << 30));
  for await (const batch of database.readChunk({ ...chunkRequest(stream, plan), batchBytes: 1 << 12 })) {
    expect(batch).toMatchObject({ rows: expect.any(Number) });
    break;
  }
  expect(await readRows(database, stream, { plan })).toHaveLength(50_000);
});

describe('the host key', () => {
  test.each([0, 1])('number %d of the server is accepted from a known hosts file', async (index) => {
    const line = `[${ssh.host}]:${ssh.port} ${ssh.hostKeys[index]?.publicKey}`;
    const knownHostsFile = await knownHosts('# others', line);
    expect(await answersThrough({ ...without('hostKey', tunnel()), knownHostsFile })).toBe(true);
  });

  test('that has changed is refused, with the one that was shown', async () => {
    const other = await makeSshKey(path.join(folder.path, 'other'));
    const file = await knownHosts(`[${ssh.host}]:${ssh.port} ${other.publicKey}`);
    const sshTunnel = { ...without('hostKey', tunnel()), knownHostsFile: file };
    await expect(connect(configFor(server, { sshTunnel }))).rejects.toMatchObject({
      code: 'host_key_refused',
      message: `The host key ${ssh.hostKeys[0]?.fingerprint} of the SSH server ${ssh.host}:${ssh.port} is not the one in ${file}.`,
    });
    await expect(
      connect(configFor(server, { sshTunnel: tunnel({ hostKey: other.fingerprint }) })),
    ).rejects.toMatchObject({
      code: 'host_key_refused',
      message: `The host key ${ssh.hostKeys[0]?.fingerprint} of the SSH server ${ssh.host}:${ssh.port} is not the one of option sshTunnel.hostKey.`,
    });
  });

  test('that is unknown, or revoked, is refused', async () => {
    const empty = await knownHosts();
    const name = `[${ssh.host}]:${ssh.port}`;
    const revoked = await knownHosts(
      `${name} ${ssh.hostKeys[0]?.publicKey}`,
      `@revoked ${name} ${ssh.hostKeys[0]?.publicKey}`,
    );
    for (const [file, why] of [
      [empty, 'is not known in'],
      [revoked, 'is revoked in'],
    ] as const) {
      const sshTunnel = { ...without('hostKey', tunnel()), knownHostsFile: file };
      await expect(connect(configFor(server, { sshTunnel }))).rejects.toMatchObject({
        code: 'host_key_refused',
        message: expect.stringContaining(`${why} ${file}.`),
      });
    }
  });
});

describe('logging in to the SSH server', () => {
  test('works with an encrypted key and its passphrase', async () => {
    const encrypted = await makeSshKey(path.join(folder.path, 'encrypted'), { passphrase: 'canary-5b' });
    await ssh.authorize(encrypted);
    const options = tunnel({ privateKeyFile: encrypted.file, passphrase: 'canary-5b' });
    expect(await answersThrough(options)).toBe(true);
    await expect(
      connect(configFor(server, { sshTunnel: { ...options, passphrase: 'canary-6c' } })),
    ).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.not.stringContaining('canary'),
    });
  });

  test('works with an agent', async () => {
    await using agent = await startSshAgent(ssh.clientKey);
    expect(await answersThrough({ ...without('privateKeyFile', tunnel()), agent: agent.socket })).toBe(true);
  });

  test('is refused with another key, naming server and user', async () => {
    const other = await makeSshKey(path.join(folder.path, 'stranger'));
    await expect(
      connect(configFor(server, { sshTunnel: tunnel({ privateKeyFile: other.file }) })),
    ).rejects.toMatchObject({
      code: 'authentication_failed',
      message: expect.stringContaining(`The SSH server ${ssh.host}:${ssh.port} does not let user "${ssh.user}" in`),
    });
  });

  test('works with a password, and a wrong one is refused', async () => {
    await using bastion = await startPasswordServer('canary-pw');
    const sshTunnel = {
      host: '127.0.0.1',
      port: bastion.port,
      user: 'me',
      hostKey: bastion.fingerprint,
      password: 'canary-pw',
    };
    expect(await answersThrough(sshTunnel)).toBe(true);
    const error: unknown = await connect(
      configFor(server, { sshTunnel: { ...sshTunnel, password: 'canary-no' } }),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'authentication_failed' });
    expect(String(error)).not.toContain('canary');
  });
});

test('a server that the SSH server cannot reach is told as such', async () => {
  const port = await findFreePort();
  await expect(connect(configFor(server, { port, sshTunnel: tunnel() }))).rejects.toMatchObject({
    code: 'source_unreachable',
    message: expect.stringContaining(`The SSH server ${ssh.host}:${ssh.port} cannot reach 127.0.0.1:${port}`),
  });
});

test('an SSH server that is not there is told as such, and so is a tunnel that is cut', async () => {
  const port = await findFreePort();
  await expect(connect(configFor(server, { sshTunnel: tunnel({ port }) }))).rejects.toMatchObject({
    code: 'source_unreachable',
    message: expect.stringContaining(`No connection to the SSH server 127.0.0.1:${port}`),
  });
  await using proxy = await startTcpProxy(ssh);
  await using connection = await connect(configFor(server, { sshTunnel: tunnel({ port: proxy.port }) }));
  proxy.cut();
  await expect(connection.query('SELECT 1')).rejects.toMatchObject({ code: 'source_connection_lost' });
});

/** OpenSSH asks the system for passwords, which a test must not change: this server has its own. */
async function startPasswordServer(password: string): Promise<{ port: number; fingerprint: string } & AsyncDisposable> {
  const file = path.join(folder.path, `password-host-${Math.random()}`);
  const key = await makeSshKey(file);
  const bastion = new ssh2.Server({ hostKeys: [await readFile(key.file)] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (context.method === 'password' && context.password === password) context.accept();
      else context.reject(['password']);
    });
    client.on('ready', () =>
      client.on('tcpip', (accept, _reject, { destIP, destPort }) => {
        const channel = accept();
        const socket = dial(destPort, destIP);
        channel.pipe(socket).pipe(channel);
        socket.on('error', () => channel.close());
      }),
    );
  });
  bastion.listen(0, '127.0.0.1');
  await once(bastion, 'listening');
  const { port } = bastion.address() as AddressInfo;
  return { port, fingerprint: key.fingerprint, [Symbol.asyncDispose]: async () => void bastion.close() };
}
