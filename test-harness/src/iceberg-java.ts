import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PYTHON_FOLDER } from './python.ts';
import { runSpark } from './spark.ts';

/** What Iceberg's Java reader finds; values are texts as Java prints them. */
export type JavaTable = {
  columns: string[];
  rows: (string | null)[][];
  /** How many rows were asked for by a value that is in the table, and which were not found again: statistics that lie. */
  asked: number;
  missing: { column: string; value: string; found: number }[];
};

/** Reads Iceberg tables with the generic reader of Iceberg's reference implementation, which checks the pages' checksums, and asks for rows by their values. */
export async function readWithJava(metadataLocations: readonly string[]): Promise<JavaTable[]> {
  const code = await readFile(path.join(PYTHON_FOLDER, 'read_with_java.py'), 'utf8');
  const { stdout } = await runSpark(code, metadataLocations);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as JavaTable[];
}
