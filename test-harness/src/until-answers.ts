import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { GuardedServer } from './guarded-server.ts';

const POLL_MS = 30;

/** Waits until a server takes connections, or answers a request at `path` at all. Kills it and rejects with its log if it does not in time. */
export async function untilAnswers(
  server: GuardedServer,
  { port, path, timeoutMs }: { port: number; path?: string; timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const ask = path === undefined ? () => canConnect(port) : () => answers(`http://127.0.0.1:${port}${path}`);
  while (server.isRunning && performance.now() < deadline) {
    if (await ask()) return;
    await delay(POLL_MS);
  }
  server.signal('KILL');
  throw new Error(`The server at port ${port} did not start:\n${server.log}`);
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined);
  await response?.body?.cancel();
  return response !== undefined;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
