import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How a server is started: program, arguments, environment, user, and the signal it gets when this process dies. */
export interface ServerProgram {
  command: string;
  args: readonly string[];
  cwd: string;
  env?: Record<string, string>;
  user?: { uid: number; gid: number };
  lastSignal: 'QUIT' | 'KILL' | 'TERM';
}

// The shell outlives us by a moment: the end of its stdin is our death, however we died, and ends the server. Each line on stdin names a signal to send.
const GUARD = `last=$1; shift; exec 3<&0
"$@" </dev/null 3<&- & server=$!
echo "guarded server: $server" >&2
{ while read -r signal <&3; do kill -s "$signal" "$server"; done; kill -s "$last" "$server"; } 2>/dev/null & guard=$!
wait "$server"; code=$?
kill "$guard" 2>/dev/null; exit "$code"`;

const LOG_LINES_KEPT = 400;

/** A running server program that cannot outlive this process. */
export class GuardedServer {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: string[] = [];
  readonly #watchers = new Set<(line: string) => void>();
  #pid: number | undefined;

  /** Starts the program; nothing is known yet about whether it is ready. */
  constructor(program: ServerProgram) {
    this.#child = spawn('sh', ['-c', GUARD, 'guard', program.lastSignal, program.command, ...program.args], {
      cwd: program.cwd,
      env: { ...process.env, ...program.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...program.user,
    });
    this.#exited = once(this.#child, 'close');
    this.#exited.catch(() => {});
    this.#child.stdin?.on('error', () => {});
    this.#collect(this.#child.stdout);
    this.#collect(this.#child.stderr);
  }

  /** The last lines that the server wrote. */
  get log(): string {
    return this.#lines.join('\n');
  }

  /** The process id of the server itself, once it was started. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Whether the server still runs. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves at the first line that contains `text`; rejects, with the log, if the server ends before or `timeoutMs` is over. */
  async untilLine(text: string, timeoutMs: number): Promise<void> {
    const seen = Promise.withResolvers<void>();
    const watch = (line: string): void => {
      if (line.includes(text)) seen.resolve();
    };
    this.#watchers.add(watch);
    this.#lines.forEach(watch);
    const timer = setTimeout(() => seen.reject(new Error(`was not ready after ${timeoutMs} ms`)), timeoutMs);
    const failed = this.#exited.then(() => {
      throw new Error('ended before it was ready');
    });
    try {
      await Promise.race([seen.promise, failed]);
    } catch (cause) {
      throw new Error(`${String(cause)}\n${this.log}`, { cause });
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(watch);
    }
  }

  /** Sends a signal to the server, not waiting for what it does. */
  signal(name: 'INT' | 'TERM' | 'QUIT' | 'KILL' | 'STOP' | 'CONT' | 'HUP'): void {
    if (this.isRunning) this.#child.stdin?.write(`${name}\n`);
  }

  /** Resolves when the server has ended; kills it after `timeoutMs`. */
  async untilExit(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.signal('KILL'), timeoutMs);
    await this.#exited.catch(() => {});
    clearTimeout(timer);
  }

  #collect(stream: NodeJS.ReadableStream | null): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      const started = /^guarded server: (\d+)$/.exec(line);
      if (started !== null) {
        this.#pid = Number(started[1]);
        return;
      }
      this.#lines.push(line);
      if (this.#lines.length > LOG_LINES_KEPT) this.#lines.shift();
      for (const watch of this.#watchers) watch(line);
    });
  }
}
