#!/usr/bin/env node
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';

// Everything else is imported after this check: it may use what an older Node cannot even parse.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`fjord-source-mysql needs Node 24 or newer; this is ${process.version}.\n`);
  process.exit(2);
}
// No row is a JavaScript object here: what little garbage there is fits a small young generation, in each thread.
setFlagsFromString('--semi-space-growth-factor=1');
const [{ run }, source] = await Promise.all([import('@fjord/core/runtime'), import('./index.ts')]);
await run(source.default);
