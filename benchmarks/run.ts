import { benchmarkChanges, describeChanges } from './changes.ts';
import { benchmarkCommit, describeCommit } from './commit.ts';
import { benchmarkFilter, describeFilter } from './filter.ts';
import { benchmarkFreshness, describeFreshness } from './freshness.ts';
import { benchmarkLoad } from './load.ts';
import { openInstalled } from './installed.ts';
import { benchmarkKindness, describeKindness } from './kindness.ts';
import { benchmarkMaintain, describeMaintain } from './maintain.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { benchmarkParquet, describeParquet } from './parquet.ts';
import { benchmarkPartitions, describePartitions } from './partitions.ts';
import { recordLoad } from './record.ts';
import { describeLoad, toJsonLine } from './report.ts';
import { benchmarkS3Latency, describeS3Latency } from './s3-latency.ts';
import { benchmarkScanAfterUpdates, describeScan } from './scan-after-updates.ts';
import { benchmarkSoak, describeSoak } from './soak.ts';
import { benchmarkStartup } from './startup.ts';

/** `pnpm bench NAME`: runs one benchmark and prints lines for people and, last, one of JSON. */
const options = readOptions();
if (options?.name === 'startup') {
  const result = benchmarkStartup(options.checkout ? undefined : await openInstalled());
  for (const [name, ms] of Object.entries(result.medianMs)) print(`${name.padEnd(32)} ${ms.toFixed(0)} ms`);
  print(toJsonLine(result));
} else if (options?.name === 'filter') {
  const result = await benchmarkFilter(options);
  process.stdout.write(describeFilter(result));
  print(toJsonLine(result));
} else if (options?.name === 'changes') {
  const result = await benchmarkChanges(options);
  process.stdout.write(describeChanges(result));
  print(toJsonLine(result));
} else if (options?.name === 'scan-after-updates') {
  const result = await benchmarkScanAfterUpdates(options);
  process.stdout.write(describeScan(result));
  print(toJsonLine(result));
} else if (options?.name === 'freshness') {
  const result = await benchmarkFreshness(options);
  process.stdout.write(describeFreshness(result));
  print(toJsonLine(result));
} else if (options?.name === 'soak') {
  const result = await benchmarkSoak(options);
  process.stdout.write(describeSoak(result));
  print(toJsonLine(result));
} else if (options?.name === 'kindness') {
  const result = await benchmarkKindness(options);
  process.stdout.write(describeKindness(result));
  print(toJsonLine(result));
} else if (options?.name === 'partitions') {
  const result = await benchmarkPartitions(options);
  process.stdout.write(describePartitions(result));
  print(toJsonLine(result));
} else if (options?.name === 's3-latency') {
  const result = await benchmarkS3Latency(options);
  process.stdout.write(describeS3Latency(result));
  print(toJsonLine(result));
} else if (options?.name === 'commit') {
  const result = await benchmarkCommit(options);
  process.stdout.write(describeCommit(result));
  print(toJsonLine(result));
} else if (options?.name === 'maintain') {
  const result = await benchmarkMaintain(options);
  process.stdout.write(describeMaintain(result));
  print(toJsonLine(result));
} else if (options?.name === 'parquet') {
  const result = await benchmarkParquet(options);
  process.stdout.write(describeParquet(result));
  print(toJsonLine(result));
} else if (options) {
  const result = await benchmarkLoad(options);
  if (options.record) recordLoad(result);
  process.stdout.write(describeLoad(result));
  print(toJsonLine(result));
}

function readOptions(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
