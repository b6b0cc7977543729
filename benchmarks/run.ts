import { parseArgs } from 'node:util';
import { benchmarkLoad } from './load.ts';
import { benchmarkStartup } from './startup.ts';

/** `pnpm bench NAME [--rows N] [--parallel N] [--s3]`: runs one benchmark and prints, last, one JSON line. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string' },
    parallel: { type: 'string' },
    s3: { type: 'boolean' },
    profile: { type: 'string' },
  },
});
const [name] = positionals;
const options = {
  parallel: Number(values.parallel ?? 2),
  s3: values.s3 ?? false,
  ...(values.profile !== undefined && { profile: values.profile }),
};
if (name === 'trips') await benchmarkLoad('trips', { ...options, rows: Number(values.rows ?? 10_000_000) });
else if (name === 'lineitem') await benchmarkLoad('lineitem', { ...options, rows: Number(values.rows ?? 6_000_000) });
else if (name === 'startup') await benchmarkStartup();
else throw new Error('Usage: pnpm bench trips|lineitem|startup [--rows N] [--parallel N] [--s3] [--profile FOLDER]');
