import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HttpFaults, type S3Access, startHttpFaults } from '../../src/index.ts';

/** The steps of a sync at which it can be stopped, each just after it was done and before whoever did it knows. */
export const STEPS = {
  'data or delete file written': /^PUT .*\/data\/.*\.(parquet|puffin)(\?|$)/,
  'manifest written': /^PUT .*-m\d+\.avro(\?|$)/,
  'manifest list written': /^PUT .*\/snap-[^/]*\.avro(\?|$)/,
  'metadata written': /^PUT .*\.metadata\.json(\?|$)/,
  'table swapped in the catalog': /^POST .*\/namespaces\/(?!fjord\/)[^/]+\/tables\/[^/]+$/,
  'marker swapped in the catalog': /^POST .*\/namespaces\/fjord\/tables\/[^/]+$/,
  'STATE said': /^POST \/state$/,
  'ACK sent': /^POST \/ack$/,
} as const;
export type Step = keyof typeof STEPS;

type Armed = { step: Step; skip: number; reached(): void };

/**
 * Stands between a sync and all that it writes to (storage, catalog, and the lines between engine and connectors), and holds it at a step
 * until it is released: whatever is killed meanwhile is killed exactly there.
 */
export class StepGate implements AsyncDisposable {
  readonly #closers: AsyncDisposable[] = [];
  #announcements = '';
  #s3: HttpFaults | undefined;
  #rest: HttpFaults | undefined;
  #armed: Armed | undefined;
  #held = Promise.withResolvers<void>();

  static async open(servers: { s3: S3Access; rest: { uri: string } }): Promise<StepGate> {
    const gate = new StepGate();
    gate.#s3 = await startHttpFaults(servers.s3.endpoint);
    gate.#rest = await startHttpFaults(servers.rest.uri);
    for (const proxy of [gate.#s3, gate.#rest]) {
      proxy.carriedOut = ({ method, url }) => gate.#pass(`${method} ${url}`);
      gate.#closers.push(proxy);
    }
    await gate.#listen();
    return gate;
  }

  /** Where lines of protocol are announced, and the addresses of storage and catalog. */
  get addresses(): { announcements: string; s3: string; rest: string } {
    return { announcements: this.#announcements, s3: this.#s3?.endpoint ?? '', rest: this.#rest?.endpoint ?? '' };
  }

  /** Resolves when the step was done so many times more; whoever did it waits for `release`. */
  hold(step: Step, skip: number): Promise<void> {
    this.#held = Promise.withResolvers();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#armed = { step, skip, reached: resolve };
    return promise;
  }

  release(): void {
    this.#armed = undefined;
    this.#held.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    for (const each of this.#closers.splice(0)) await each[Symbol.asyncDispose]();
  }

  async #pass(call: string): Promise<void> {
    const armed = this.#armed;
    if (!armed || !STEPS[armed.step].test(call) || armed.skip-- > 0) return;
    this.#armed = undefined;
    armed.reached();
    await this.#held.promise;
  }

  async #listen(): Promise<void> {
    const server = createServer((incoming, outgoing) => {
      incoming.resume();
      void this.#pass(`${incoming.method} ${incoming.url}`).then(() => outgoing.end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#announcements = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#closers.push({
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    });
  }
}

export const VICTIMS = ['source', 'destination', 'command', 'all'] as const;

/**
 * Kills with SIGKILL a connector of a running sync, the command itself (its connectors have to notice), or everything at once; gives the
 * processes below the command as they were.
 */
export function killPart(sync: number, victim: (typeof VICTIMS)[number]): number[] {
  const verbs = { source: ['read'], destination: ['write'], command: [], all: ['read', 'write'] }[victim];
  const below = descendantsOf(sync);
  const chosen = below.filter(({ words }) => verbs.some((verb) => words.includes(verb)));
  if (chosen.length < 2 * verbs.length) {
    throw new Error(`of what is to be killed (${victim}) only ${chosen.length} processes run`);
  }
  const isWhole = victim === 'command' || victim === 'all';
  const pids = [...(isWhole ? [sync] : []), ...chosen.map(({ pid }) => pid)];
  // Stopped first, so that nobody sees another one end.
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) process.kill(pid, signal);
  return below.map(({ pid }) => pid);
}

function descendantsOf(ancestor: number): { pid: number; words: string[] }[] {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n');
  const all = lines.map((line) => line.trim().split(/\s+/));
  const children = (of: number): { pid: number; words: string[] }[] =>
    all
      .filter(([, parent]) => Number(parent) === of)
      .flatMap(([pid, , ...words]) => [{ pid: Number(pid), words }, ...children(Number(pid))]);
  return children(ancestor);
}
