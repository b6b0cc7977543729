// Loaded into every process of a measured run (NODE_OPTIONS=--import): writes what it and its worker threads used when it ends.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.FJORD_BENCH_USAGE;
if (folder && isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const verb = process.argv[2];
    const part = verb === 'read' ? 'source' : verb === 'write' ? 'destination' : 'engine';
    const used = { part, cpuS: (userCPUTime + systemCPUTime) / 1e6, rssMB: maxRSS / 1024 };
    writeFileSync(`${folder}/${process.pid}.json`, JSON.stringify(used));
  });
}
