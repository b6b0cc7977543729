// Loaded into every process of a measured run (NODE_OPTIONS=--import): writes what the process used when it ends.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.FJORD_BENCH_USAGE;
if (folder && isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const args = process.argv.slice(1).join(' ');
    const part = args.includes(' read ') ? 'source' : args.includes(' write ') ? 'destination' : 'engine';
    writeFileSync(
      `${folder}/${process.pid}.json`,
      JSON.stringify({ part, cpuS: (user + system) / 1e6, rssMB: process.resourceUsage().maxRSS / 1024 }),
    );
  });
}
