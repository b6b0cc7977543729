import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { schemaMessage } from '@fjord/core/arrow';
import { makeOnce, mustRun, python, temporaryFolder } from '@fjord/test-harness';
import { arrowFieldsWithIds } from '../packages/dest-iceberg/src/parquet/arrow-schema.ts';
import { describeMachine, type Machine } from './machine.ts';
import { openInstalled } from './installed.ts';
import { tripBatch, tripFields } from './made-up-trips.ts';

/** What one encoding of all batches took; medians of all runs. */
export type EncoderFigures = { rows: number; wallS: number; cpuS: number; peakRssMB: number; bytes: number };

/** The JSON line of `pnpm bench parquet`. The ratios are ours by parquet-wasm's: CPU, peak memory, bytes; `pyarrowCpuRatio` is by PyArrow's on one thread. */
export type ParquetResult = {
  name: 'parquet';
  rows: number;
  rowsPerCpuS: number;
  cpuRatio: number;
  rssRatio: number;
  sizeRatio: number;
  pyarrowCpuRatio: number;
  encoders: Record<EncoderKind, EncoderFigures>;
  machine: Machine;
  date: string;
};

const KINDS = ['fjord', 'parquet-wasm', 'pyarrow'] as const;
type EncoderKind = (typeof KINDS)[number];

const RUNS = 5;
/** About 1 MB, as the sources send them. */
const BATCH_ROWS = 8192;
const SCRIPT = path.join(import.meta.dirname, 'encode-once.mjs');
const SOURCES = path.resolve(import.meta.dirname, '../packages/dest-iceberg/src');
const MODULES = { fjord: 'parquet/fjord-encoder', 'parquet-wasm': 'parquet/wasm-encoder' };
/** How the memory of connectors is kept: see dest-iceberg's program and the engine's start of connectors. */
const AS_CONNECTORS = ['--semi-space-growth-factor=1'];
const PYTHON_SCRIPT = path.join(import.meta.dirname, 'encode_once.py');

/** Encodes the same made-up trips with each encoder in turn, each time in a new process, to a local file. */
export async function benchmarkParquet({
  rows,
  checkout,
}: {
  rows: number;
  checkout: boolean;
}): Promise<ParquetResult> {
  const batches = await makeBatches(rows);
  const destination = checkout ? SOURCES : path.join(await openInstalled(), 'node_modules/@fjord/dest-iceberg/dist');
  await using folder = await temporaryFolder('bench-parquet');
  const runs: Record<EncoderKind, EncoderFigures[]> = { fjord: [], 'parquet-wasm': [], pyarrow: [] };
  for (let run = 0; run < RUNS; run++) {
    for (const kind of KINDS)
      runs[kind].push(await encodeOnce(kind, destination, [batches, path.join(folder.path, kind)]));
  }
  const [fjord, wasm, pyarrow] = [medians(runs.fjord), medians(runs['parquet-wasm']), medians(runs.pyarrow)];
  return {
    name: 'parquet',
    rows: fjord.rows,
    rowsPerCpuS: fjord.rows / fjord.cpuS,
    cpuRatio: fjord.cpuS / wasm.cpuS,
    rssRatio: fjord.peakRssMB / wasm.peakRssMB,
    sizeRatio: fjord.bytes / wasm.bytes,
    pyarrowCpuRatio: fjord.cpuS / pyarrow.cpuS,
    encoders: { fjord, 'parquet-wasm': wasm, pyarrow },
    machine: describeMachine(),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The figures for people, a line for each encoder. */
export function describeParquet({ encoders, rows }: ParquetResult): string {
  return Object.entries(encoders)
    .map(([kind, { cpuS, peakRssMB, bytes }]) => {
      const figures = `${cpuS.toFixed(2)} CPU s (${((1e6 * cpuS) / rows).toFixed(2)} µs a row)`;
      return `${kind.padEnd(16)}  ${figures}, ${peakRssMB.toFixed(0)} MB RSS, ${(bytes / 1e6).toFixed(1)} MB written\n`;
    })
    .join('');
}

async function makeBatches(rows: number): Promise<string> {
  const folder = await makeOnce(`bench-parquet-${rows}`, async (draft) => {
    const file = createWriteStream(path.join(draft, 'batches'));
    for (let first = 0; first < rows; first += BATCH_ROWS) {
      const batch = tripBatch(first, Math.min(BATCH_ROWS, rows - first));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(batch.length);
      file.write(length);
      if (!file.write(batch)) await once(file, 'drain');
    }
    file.end();
    await writeFile(path.join(draft, 'schema'), schemaMessage(arrowFieldsWithIds(tripFields)));
    await writeFile(path.join(draft, 'fields.json'), JSON.stringify(tripFields));
    await finished(file);
  });
  return folder;
}

async function encodeOnce(kind: EncoderKind, destination: string, files: string[]): Promise<EncoderFigures> {
  if (kind === 'pyarrow') return figuresOf(await python(), [PYTHON_SCRIPT, ...files]);
  const module = path.join(destination, MODULES[kind]) + (destination === SOURCES ? '.ts' : '.js');
  return figuresOf(process.execPath, [...AS_CONNECTORS, SCRIPT, module, ...files], { MALLOC_ARENA_MAX: '1' });
}

async function figuresOf(command: string, args: string[], env = {}): Promise<EncoderFigures> {
  const { stdout } = await mustRun(command, args, { env });
  return JSON.parse(stdout) as EncoderFigures;
}

function medians(runs: readonly EncoderFigures[]): EncoderFigures {
  const median = (field: keyof EncoderFigures) =>
    runs.map((run) => run[field]).toSorted((a, b) => a - b)[runs.length >> 1] ?? 0;
  return {
    rows: median('rows'),
    wallS: median('wallS'),
    cpuS: median('cpuS'),
    peakRssMB: median('peakRssMB'),
    bytes: median('bytes'),
  };
}
