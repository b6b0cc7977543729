import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../src/index.ts';

/** A server that sends back what it gets, and a proxy before it. */
async function startEcho(): Promise<{ proxy: TcpProxy } & AsyncDisposable> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  return {
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      server.close();
    },
  };
}

async function dial({ host, port }: TcpProxy): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  return socket;
}

async function say(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer]: unknown[] = await once(socket, 'data');
  return String(answer);
}

test('data passes, and a cut resets the connection', async () => {
  await using echo = await startEcho();
  const socket = await dial(echo.proxy);
  expect(await say(socket, 'a')).toBe('a');
  echo.proxy.cut();
  await expect(once(socket, 'data')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(echo.proxy).toMatchObject({ accepted: 1, cuts: 1 });
});

test('a connection is cut once the server has sent so many bytes', async () => {
  await using echo = await startEcho();
  echo.proxy.cutAfterBytes = () => 3;
  const socket = await dial(echo.proxy);
  expect(await say(socket, 'ab')).toBe('ab');
  await expect(say(socket, 'cd')).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('a stall holds data back until it is resumed', async () => {
  await using echo = await startEcho();
  const socket = await dial(echo.proxy);
  expect(await say(socket, 'a')).toBe('a');
  echo.proxy.stall();
  const answer = say(socket, 'b');
  const other = await dial(echo.proxy);
  other.on('error', () => {});
  expect(await Promise.race([answer, new Promise((resolve) => setImmediate(() => resolve('nothing')))])).toBe(
    'nothing',
  );
  echo.proxy.resume();
  expect(await answer).toBe('b');
  socket.destroy();
  other.destroy();
});

test('it refuses connections and takes them again on the same port', async () => {
  await using echo = await startEcho();
  await echo.proxy.refuse();
  await expect(dial(echo.proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await echo.proxy.accept();
  const socket = await dial(echo.proxy);
  expect(await say(socket, 'a')).toBe('a');
  socket.destroy();
});
