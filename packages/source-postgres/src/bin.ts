#!/usr/bin/env node
import process from 'node:process';

// Everything else is imported after this check: it may use what an older Node cannot even parse.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`fjord-source-postgres needs Node 24 or newer; this is ${process.version}.\n`);
  process.exit(2);
}
const [{ run }, source] = await Promise.all([import('@fjord/core/runtime'), import('./index.ts')]);
await run(source.default);
