import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectorError, type Message } from '@fjord/core';
import { decodeOperatorLine, parseProtocolLine } from './decode-message.ts';
import { type Failure, failureOfLine, toFailure } from './failure.ts';
import type { Connector } from './resolve-connector.ts';
import { passOnPriority } from './session-priority.ts';
import { splitLines } from './split-lines.ts';

/** An operator's line (LOG, PROGRESS, ERROR) that a connector wrote to stderr. */
export type OperatorLine = Message<'LOG' | 'PROGRESS' | 'ERROR'>;

/** How a connector is started. `stdout` is a pipe to us unless another process's stdin is given, which then gets it as a file descriptor. */
export type ConnectorStart = {
  connector: Connector;
  args: readonly string[];
  /** The folder it runs in: relative paths in its config are taken from there. */
  folder: string;
  /** Variables besides those of this process. */
  env?: Record<string, string>;
  stdin?: 'pipe' | 'ignore';
  stdout?: Writable;
  onLine(line: OperatorLine, connector: Connector): void;
  /** Called with each protocol line of stdout, the next one when it is done; what it throws becomes the failure of this process. */
  onMessage?(message: unknown): void | Promise<void>;
};

/** From SIGTERM to SIGKILL. */
const KILL_AFTER_MS = 2_000;
/** Output may still be in the pipe when a process has ended, and is read as long as it comes; a grandchild that holds the pipe open must not hold us. */
const DRAIN_MS = 1_000;

/** A running connector. It has a process group of its own, so that Ctrl-C reaches us alone and a wrapper's children end with it. */
export class ConnectorProcess implements AsyncDisposable {
  readonly connector: Connector;
  /** What went wrong, in order: ERROR lines, broken protocol, an end without either. */
  readonly failures: Failure[] = [];
  /** Resolves, never rejects, when the process has ended and its output was read. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #start: ConnectorStart;
  #hasEnded = false;
  #isTaking = false;
  #wasStopped = false;
  #linesRead = 0;

  constructor(start: ConnectorStart) {
    this.#start = start;
    this.connector = start.connector;
    const [program, ...first] = start.connector.command;
    const stdio: StdioOptions = [start.stdin ?? 'ignore', start.stdout ?? 'pipe', 'pipe'];
    this.#child = spawn(program, [...first, ...start.args], {
      cwd: start.folder,
      env: { ...environmentOf(start.connector), ...start.env },
      stdio,
      detached: true,
    });
    if (this.#child.pid !== undefined) passOnPriority(this.#child.pid);
    // Our copy of the pipe's end must go, or its reader would never see the end of the source.
    start.stdout?.destroy();
    // A reader that has gone is seen at its end, not here.
    this.#child.stdin?.on('error', () => undefined);
    this.ended = this.#follow();
  }

  get stdin(): Writable | null {
    return this.#child.stdin;
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Asks the process to stop (SIGTERM) and kills it with all its children after `graceMs`. Resolves at its end. */
  async stop(graceMs: number = KILL_AFTER_MS): Promise<void> {
    this.#wasStopped = true;
    this.#signal('SIGTERM');
    await this.#killAfter(graceMs);
  }

  /** Kills the process with all its children, now. */
  async kill(): Promise<void> {
    this.#wasStopped = true;
    await this.#killAfter(0);
  }

  /** Gives the process a deadline to end by itself, then stops it. */
  async endWithin(deadlineMs: number): Promise<void> {
    if (!(await this.#endsWithin(deadlineMs))) await this.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) await this.stop();
  }

  async #killAfter(graceMs: number): Promise<void> {
    if (!(await this.#endsWithin(graceMs))) this.#signal('SIGKILL');
    await this.ended;
  }

  async #endsWithin(deadlineMs: number): Promise<boolean> {
    if (this.#hasEnded) return true;
    const timer = new AbortController();
    const late = delay(deadlineMs, false, { signal: timer.signal }).catch(() => false);
    const isEnded = await Promise.race([this.ended.then(() => true), late]);
    timer.abort();
    return isEnded;
  }

  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    try {
      process.kill(-pid, name);
    } catch {
      // It has ended in the meantime.
    }
  }

  async #follow(): Promise<void> {
    const output = Promise.all([this.#readMessages(this.#child.stdout), this.#readLines(this.#child.stderr)]);
    try {
      const [code, signal]: [number | null, NodeJS.Signals | null] = await exitOf(this.#child);
      await this.#drain(output);
      this.#explainEnd(code, signal);
    } catch (error) {
      this.#fail(new ConnectorError('connector_not_found', `${this.#who} cannot be started.`, { cause: error }));
    }
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#hasEnded = true;
  }

  async #drain(output: Promise<unknown>): Promise<void> {
    for (;;) {
      const before = this.#linesRead;
      const silence = delay(DRAIN_MS, false, { ref: false });
      if (await Promise.race([output.then(() => true), silence])) return;
      // A message that is still being dealt with keeps those behind it waiting.
      if (!this.#isTaking && before === this.#linesRead) return;
    }
  }

  async #readMessages(stdout: Readable | null): Promise<void> {
    if (stdout === null) return;
    try {
      for await (const line of splitLines(stdout)) {
        this.#linesRead += 1;
        this.#isTaking = true;
        await this.#start.onMessage?.(parseProtocolLine(line, this.#who));
        this.#isTaking = false;
      }
    } catch (error) {
      if (!(error instanceof ConnectorError)) return;
      this.#fail(error);
      void this.stop();
    }
  }

  async #readLines(stderr: Readable | null): Promise<void> {
    if (stderr === null) return;
    try {
      for await (const text of splitLines(stderr)) {
        this.#linesRead += 1;
        const line = decodeOperatorLine(text);
        if (line.type === 'ERROR') this.failures.push(failureOfLine(line, this.connector.role));
        this.#start.onLine(line, this.connector);
      }
    } catch {
      // Destroyed after the process's end while a grandchild held it open: there is nothing more to read.
    }
  }

  /** An ERROR line must precede a non-zero end; where it is missing, what we know of the end stands for it. */
  #explainEnd(code: number | null, signal: NodeJS.Signals | null): void {
    if (code === 0 || this.#wasStopped || this.failures.length > 0) return;
    if (signal !== null) {
      this.#fail(
        new ConnectorError('run_broken', `${this.#who} was ended by ${signal}.`, {
          help: 'Run the sync again; it resumes from the last commit. If it was not you, look for a lack of memory.',
        }),
      );
      return;
    }
    this.#fail(
      new ConnectorError('protocol_violation', `${this.#who} ended with exit code ${code} and no ERROR line.`),
    );
  }

  get #who(): string {
    return `The ${this.connector.role} ${this.connector.name}`;
  }

  #fail(error: ConnectorError): void {
    this.failures.push(toFailure(error, this.connector.role));
  }
}

async function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  const [code, signal]: unknown[] = await once(child, 'exit');
  return [typeof code === 'number' ? code : null, child.signalCode ?? (signal === null ? null : child.signalCode)];
}

function environmentOf(connector: Connector): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    // Compiled code is kept between runs: loading it anew is most of what a small sync takes.
    NODE_COMPILE_CACHE: path.join(homedir(), '.cache', 'fjord', 'compiled'),
    // glibc keeps what its threads have freed, for each apart: with one arena for all a copy takes a twentieth less memory and no more time.
    MALLOC_ARENA_MAX: '1',
    ...process.env,
  };
  // Behind a wrapper the connector's parent is not us, and it would take us for dead.
  if (connector.isDirect) environment['FJORD_PARENT_PID'] = String(process.pid);
  else delete environment['FJORD_PARENT_PID'];
  return environment;
}
