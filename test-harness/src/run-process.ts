import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What a finished process left: its exit code or the signal that ended it, and all it wrote. */
export interface ProcessResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** `env` is added to this process's environment (undefined takes a variable out); `input` is written to stdin, which is then closed. */
export interface ProcessOptions {
  uid?: number;
  gid?: number;
  env?: Record<string, string | undefined>;
  cwd?: string;
  input?: string;
  timeoutMs?: number;
}

/** Runs a program to its end, with its output collected; rejects only if it cannot be started. After `timeoutMs` it is killed with its children (`signal` is then SIGKILL). */
export async function runProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
    // A group of its own, so that after the time also its children end: they hold the pipes that are read here.
    detached: options.timeoutMs !== undefined,
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => killGroup(child.pid), options.timeoutMs);
  const ended = new Promise<Pick<ProcessResult, 'exitCode' | 'signal'>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal }));
  }).finally(() => clearTimeout(timer));
  // A program that ends without reading its input is not an error of ours; its exit code tells.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [end, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { ...end, stdout, stderr };
}

/** Like `runProcess`, but rejects with the last of the output unless the program exits with 0. */
export async function mustRun(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const result = await runProcess(command, args, options);
  if (result.exitCode === 0) return result;
  const end = result.signal === null ? `exit code ${result.exitCode}` : result.signal;
  const output = `${result.stdout}\n${result.stderr}`.trim().slice(-4000);
  throw new Error(`${command} ${args.slice(0, 3).join(' ')} ended with ${end}:\n${output}`);
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended by itself just now.
  }
}
