import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * A connector that is another one, but for the lines of protocol between it and the engine: each durable STATE that it says, and each ACK
 * that it is told, is announced to a test first and waits for the answer. Arguments: where to announce, the connector's program, its own.
 */
const [gate = '', program = '', ...args] = process.argv.slice(2);
const [verb] = args;

async function announce(step: string): Promise<void> {
  await fetch(`${gate}/${step}`, { method: 'POST' }).catch(() => undefined);
}

const child = spawn(process.execPath, [program, ...args], {
  stdio: [verb === 'read' ? 'pipe' : 'inherit', verb === 'write' ? 'pipe' : 'inherit', 'inherit'],
  env: { ...process.env, FJORD_PARENT_PID: String(process.pid) },
});
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 100).unref();
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.stdout.on('error', () => process.exit(1));
child.stdin?.on('error', () => undefined);

async function passStates(lines: NodeJS.ReadableStream): Promise<void> {
  let hasStarted = false;
  for await (const line of createInterface({ input: lines })) {
    const { type, status } = JSON.parse(line) as { type: string; status?: string };
    hasStarted ||= type === 'STATUS' && status === 'STARTED';
    if (hasStarted && type === 'STATE') await announce('state');
    process.stdout.write(`${line}\n`);
  }
}

async function passAcknowledgements(target: NodeJS.WritableStream): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    await announce('ack');
    target.write(`${line}\n`);
  }
  target.end();
}

const passing = child.stdout ? passStates(child.stdout) : undefined;
if (child.stdin) void passAcknowledgements(child.stdin);
const [code] = (await once(child, 'exit')) as [number | null];
await passing;
process.exit(code ?? 1);
