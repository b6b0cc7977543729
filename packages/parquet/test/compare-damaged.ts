import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, temporaryFolder } from '@fjord/test-harness';
import fc from 'fast-check';
import { ParquetError } from '../src/index.ts';
import { anyDamage, damaged } from './arrow/damage.ts';
import { encode } from './encode.ts';
import { PYTHON_FOLDER } from './python-folder.ts';

/** What came of damaged streams: how many files equal what PyArrow reads, how many streams it refuses, and what differs. */
export type DamageReport = { counts: { compared: number; refused?: number; invalid?: number }; problems: string[] };

/** Encodes damaged copies of random streams; what is not refused with a ParquetError is compared with what PyArrow reads of the same stream. */
export async function compareDamaged(seed: number, count: { tables: number; damages: number }): Promise<DamageReport> {
  await using sources = await temporaryFolder('parquet');
  await using folder = await temporaryFolder('parquet');
  await runPython(path.join(PYTHON_FOLDER, 'make_tables.py'), [sources.path, String(seed), String(count.tables)]);
  const streams = Array.from({ length: count.tables }, (_, index) =>
    readFileSync(path.join(sources.path, `${index}.arrows`)),
  );
  for (const [index, damages] of fc.sample(anyDamage, { seed, numRuns: count.damages }).entries()) {
    const stream = damaged(streams[index % count.tables] ?? new Uint8Array(), damages);
    const file = await encode([stream], { compression: 'none' }).then(
      (encoded) => encoded.file,
      (error: unknown) => {
        if (!(error instanceof ParquetError))
          throw new Error(`Damage ${index} of seed ${seed} is no ParquetError.`, { cause: error });
      },
    );
    if (!file) continue;
    writeFileSync(path.join(folder.path, `${index}.arrows`), stream);
    writeFileSync(path.join(folder.path, `${index}.parquet`), file);
  }
  const { stdout } = await runPython(path.join(PYTHON_FOLDER, 'check_damaged.py'), [folder.path]);
  return JSON.parse(stdout) as DamageReport;
}
