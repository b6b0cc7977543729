#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`fjord needs Node 24 or newer; this is ${process.version}.\n`);
  process.exit(2);
}
// No row is a JavaScript object here: what little garbage there is fits a small young generation, in each thread.
setFlagsFromString('--semi-space-growth-factor=1');
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
