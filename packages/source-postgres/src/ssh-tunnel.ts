import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { ConnectorError } from '@fjord/core';
import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import type { SshTunnelOptions } from './connection-options.ts';
import type { Endpoint } from './connection-uri.ts';
import { findKnownHost, type KnownHost } from './known-hosts.ts';

/** A way to a server through an SSH server: `stream` is the connection, already open. `fault` says why it broke, once it has. */
export interface Tunnel extends AsyncDisposable {
  readonly stream: Duplex & { connect(): void };
  readonly fault: ConnectorError | undefined;
}

type TunnelRequest = { endpoint: Endpoint; timeoutMs: number; keepAliveMs: number };

/**
 * Opens an SSH connection of its own and, through it, one to the endpoint, which the SSH server looks up. Nothing listens on this machine. A
 * host key that is not the known one is refused before anything secret is sent (`host_key_refused`).
 */
export async function openTunnel(options: SshTunnelOptions, request: TunnelRequest): Promise<Tunnel> {
  const guard = await HostKeyGuard.load(options);
  const client = new Client();
  let fault: ConnectorError | undefined;
  const failed = new Promise<never>((_, reject) => {
    client.on('error', (cause) => {
      fault ??= guard.refusal ?? explain(cause, options);
      reject(fault);
    });
    client.on('close', () => reject(fault ?? explain(new Error('the connection was closed'), options)));
  });
  failed.catch(() => undefined);
  try {
    const ready = new Promise<void>((resolve) => client.on('ready', resolve));
    client.connect(await connectConfig(options, { ...request, guard }));
    await Promise.race([ready, failed]);
    const channel = await Promise.race([openChannel(client, options, request.endpoint), failed]);
    return {
      stream: asSocket(channel, client),
      get fault() {
        return fault;
      },
      async [Symbol.asyncDispose]() {
        client.end();
      },
    };
  } catch (error) {
    client.destroy();
    throw error instanceof ConnectorError ? error : explain(error, options);
  }
}

async function connectConfig(
  options: SshTunnelOptions,
  { timeoutMs, keepAliveMs, guard }: TunnelRequest & { guard: HostKeyGuard },
): Promise<ConnectConfig> {
  const { host, port, user, privateKeyFile, passphrase, password, agent } = options;
  if (privateKeyFile === undefined && password === undefined && agent === undefined) {
    throw new ConnectorError('config_invalid', 'The option sshTunnel needs `privateKeyFile`, `password` or `agent`.');
  }
  return {
    host,
    port,
    username: user,
    readyTimeout: timeoutMs,
    keepaliveInterval: keepAliveMs,
    hostVerifier: (key: Buffer) => guard.accepts(key),
    ...(guard.algorithms && { algorithms: { serverHostKey: guard.algorithms } }),
    ...(privateKeyFile !== undefined && { privateKey: await readOption(privateKeyFile, 'sshTunnel.privateKeyFile') }),
    ...(passphrase !== undefined && { passphrase }),
    ...(password !== undefined && { password }),
    ...(agent !== undefined && { agent }),
  };
}

function openChannel(client: Client, options: SshTunnelOptions, endpoint: Endpoint): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const done = (cause: Error | undefined, channel: ClientChannel) => {
      if (cause) reject(unreachable(cause, options, endpoint));
      else resolve(channel);
    };
    const { host, port, address = host } = endpoint;
    if (host.startsWith('/')) client.openssh_forwardOutStreamLocal(`${host}/.s.PGSQL.${port}`, done);
    else client.forwardOut('127.0.0.1', 0, address, port, done);
  });
}

/** The driver is given a socket and connects it itself: this one is connected already, and has no TCP of its own to be set. */
function asSocket(channel: ClientChannel, client: Client): Tunnel['stream'] {
  const self = () => stream;
  const stream = Object.assign(channel, {
    connect: () => process.nextTick(() => channel.emit('connect')),
    setNoDelay: self,
    setKeepAlive: self,
    ref: self,
    unref: self,
    // The channel itself would wait for the other side's answer, which may never come, and for somebody to read what has arrived.
    destroy: (error?: Error) => {
      channel.removeAllListeners('data');
      channel.resume();
      client.destroy();
      if (error) channel.emit('error', error);
      return stream;
    },
  });
  return stream;
}

/** Knows which host keys are the right ones, and remembers why one was refused. */
class HostKeyGuard {
  refusal: ConnectorError | undefined;
  readonly #options: SshTunnelOptions;
  readonly #known: KnownHost;
  readonly #file: string;

  private constructor(options: SshTunnelOptions, known: KnownHost, file: string) {
    this.#options = options;
    this.#known = known;
    this.#file = file;
  }

  static async load(options: SshTunnelOptions): Promise<HostKeyGuard> {
    const nothing = { trusted: [], revoked: [] };
    if (options.hostKey !== undefined) return new HostKeyGuard(options, nothing, '');
    const standard = path.join(homedir(), '.ssh', 'known_hosts');
    const file = options.knownHostsFile ?? standard;
    const text =
      options.knownHostsFile === undefined
        ? await readFile(standard, 'utf8').catch(() => '')
        : await readOption(file, 'sshTunnel.knownHostsFile');
    return new HostKeyGuard(options, findKnownHost(text, options), file);
  }

  /** The kinds of key to ask the server for: those that are known, since of several keys it shows one. */
  get algorithms(): ServerHostKeyAlgorithm[] | undefined {
    const types = new Set(this.#known.trusted.map(({ type }) => type));
    if (types.size === 0) return undefined;
    const names = [...types].flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]));
    return names as ServerHostKeyAlgorithm[];
  }

  accepts(key: Buffer): boolean {
    const text = key.toString('base64');
    const shown = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
    const { hostKey } = this.#options;
    const { trusted, revoked } = this.#known;
    if (revoked.some((known) => known.key === text)) return this.#refuse(shown, `is revoked in ${this.#file}`);
    if (hostKey !== undefined) {
      return hostKey.replace(/=$/, '') === shown || this.#refuse(shown, 'is not the one of option sshTunnel.hostKey');
    }
    if (trusted.some((known) => known.key === text)) return true;
    return this.#refuse(
      shown,
      trusted.length === 0 ? `is not known in ${this.#file}` : `is not the one in ${this.#file}`,
    );
  }

  #refuse(shown: string, why: string): false {
    const { host, port } = this.#options;
    this.refusal = new ConnectorError(
      'host_key_refused',
      `The host key ${shown} of the SSH server ${host}:${port} ${why}.`,
    );
    return false;
  }
}

function explain(cause: unknown, { host, port, user }: SshTunnelOptions): ConnectorError {
  if (cause instanceof ConnectorError) return cause;
  const text = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
  const level = cause instanceof Error && 'level' in cause ? cause.level : undefined;
  if (level === 'client-authentication' || level === 'agent') {
    const message = `The SSH server ${host}:${port} does not let user "${user}" in: ${text}.`;
    return new ConnectorError('authentication_failed', message, { cause });
  }
  if (/privateKey|passphrase/.test(text)) {
    return new ConnectorError('config_invalid', `The private key of option sshTunnel cannot be used: ${text}.`, {
      cause,
    });
  }
  if (/no matching host key/.test(text)) {
    return new ConnectorError(
      'host_key_refused',
      `The SSH server ${host}:${port} has no host key of the known kind: ${text}.`,
      { cause },
    );
  }
  return new ConnectorError('source_unreachable', `No connection to the SSH server ${host}:${port}: ${text}.`, {
    cause,
  });
}

function unreachable(cause: Error, ssh: SshTunnelOptions, { host, port }: Endpoint): ConnectorError {
  const message = `The SSH server ${ssh.host}:${ssh.port} cannot reach ${host}:${port}: ${cause.message}.`;
  return new ConnectorError('source_unreachable', message, { cause });
}

async function readOption(file: string, option: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConnectorError('config_invalid', `The file "${file}" of option ${option} cannot be read.`, { cause });
  });
}
