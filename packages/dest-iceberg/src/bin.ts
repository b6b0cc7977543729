#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`fjord-dest-iceberg needs Node 24 or newer; this is ${process.version}.\n`);
  process.exit(2);
}
// No row is a JavaScript object here: what little garbage there is fits a small young generation, in each thread.
setFlagsFromString('--semi-space-growth-factor=1');
const [{ run }, destination] = await Promise.all([import('@fjord/core/runtime'), import('./index.ts')]);
await run(destination.default);
