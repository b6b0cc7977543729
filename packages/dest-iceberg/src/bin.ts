#!/usr/bin/env node
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`fjord-dest-iceberg needs Node 24 or newer; this is ${process.version}.\n`);
  process.exit(2);
}
const [{ run }, destination] = await Promise.all([import('@fjord/core/runtime'), import('./index.ts')]);
await run(destination.default);

export {};
