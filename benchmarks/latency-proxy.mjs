import { connect, createServer } from 'node:net';

// A TCP proxy in a process of its own: `node latency-proxy.mjs HOST PORT MS` prints its port. What a client sends arrives MS later, in order and
// without a limit on how much is under way, as over a longer line: each request takes that much longer, and a large one no more than a small.
const [host, port, delayMs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
/** Enough that no upload is held up by the proxy itself. */
const MAX_UNDER_WAY = 64 * 1024 * 1024;

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host, port, noDelay: true });
  let underWay = 0;
  client.on('data', (chunk) => {
    underWay += chunk.length;
    if (underWay > MAX_UNDER_WAY) client.pause();
    setTimeout(() => {
      upstream.write(chunk);
      underWay -= chunk.length;
      client.resume();
    }, delayMs);
  });
  client.on('end', () => setTimeout(() => upstream.end(), delayMs));
  upstream.pipe(client);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('disconnect', () => process.exit());
