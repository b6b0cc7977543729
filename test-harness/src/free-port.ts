import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below 32768, where Linux hands out ports for outgoing connections, so that nobody takes the port between our look and the server's bind.
const FIRST_PORT = 20_000;
const END_OF_PORTS = 32_000;

/** Finds a TCP port on 127.0.0.1 that nobody listens on now. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(FIRST_PORT, END_OF_PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port was found between ${FIRST_PORT} and ${END_OF_PORTS}.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
