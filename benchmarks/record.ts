import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LoadResult } from './load.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const FILE = path.join(ROOT, 'docs/benchmarks.md');
/** The line below the head of the table of loads. */
const RULE = /^\| date .*\n\|[ -|]*\|\n/m;

/** Puts a load's figures on top of the table in docs/benchmarks.md. */
export function recordLoad(result: LoadResult): void {
  writeFileSync(FILE, insertRow(readFileSync(FILE, 'utf8'), rowOf(result)));
  execFileSync(path.join(ROOT, 'node_modules/.bin/oxfmt'), [FILE], { cwd: ROOT });
}

/** The text with a row more, directly below the head of its table. */
export function insertRow(text: string, cells: string[]): string {
  if (!RULE.test(text)) throw new Error('docs/benchmarks.md has lost its table.');
  return text.replace(RULE, (head) => `${head}| ${cells.join(' | ')} |\n`);
}

/** The cells of one load, in the order of the table's head. */
export function rowOf(result: LoadResult): string[] {
  const { date, machine, wallS, cpuS, cpuParts } = result;
  const parts = [cpuParts.source, cpuParts.destination, cpuParts.engine].map((seconds) => seconds.toFixed(1));
  const server = machine.postgres === undefined ? '' : `, PostgreSQL ${machine.postgres} on the same cores`;
  return [
    date,
    titleOf(result),
    count(result.rows),
    count(result.rowsPerS),
    wallS.toFixed(1),
    `${cpuS.toFixed(1)} (${parts.join(', ')})`,
    String(result.peakRssMB),
    result.floorRowsPerS === undefined ? '' : count(result.floorRowsPerS),
    `${machine.cores} x ${machine.cpu}, ${machine.memoryGB} GB, Node ${machine.node}${server}`,
  ];
}

function titleOf({ name, options }: LoadResult): string {
  const { s3, synthetic, parallel, consistency, pace, memory } = options;
  const place = name === 'null-destination' ? '' : s3 === true ? 'local S3' : 'local disk';
  const chosen = [
    place,
    synthetic === true && 'synthetic source',
    parallel !== undefined && `parallel ${parallel}`,
    consistency !== undefined && `consistency ${consistency}`,
    pace,
    memory !== undefined && `memory ${memory} MB`,
  ];
  return [name, ...chosen.filter(Boolean)].join(', ');
}

const count = (value: number) => Math.round(value).toLocaleString('en-US');
