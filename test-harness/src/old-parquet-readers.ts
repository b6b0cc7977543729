import path from 'node:path';
import { mavenJars } from './maven.ts';
import { pythonWith } from './python.ts';
import { mustRun, type ProcessResult, runProcess } from './run-process.ts';
import { findJava } from './spark.ts';

/** What the wheels of the old Python readers were built for. */
const PYTHON_VERSIONS = /^Python 3\.(10|11)\./;
/** Of 2015: knows neither zstd nor the logical types, and goes by the ConvertedType. */
const PARQUET_TOOLS = 'org.apache.parquet:parquet-tools:1.8.1';
const HADOOP = 'org.apache.hadoop:hadoop-client:2.7.3';

/** Why the old Python readers cannot be installed beside this machine's Python; undefined if they can. */
export async function findOldPythonProblem(): Promise<string | undefined> {
  const { stdout } = await runProcess('python3', ['--version']);
  return PYTHON_VERSIONS.test(stdout) ? undefined : `wheels of 2022 are for Python 3.10 and 3.11, not ${stdout.trim()}`;
}

/** The path of a Python that has PyArrow 10, DuckDB 0.6 and fastparquet of 2022; the first call on a machine installs them. */
export function oldParquetPython(): Promise<string> {
  return pythonWith('requirements-parquet-old.txt');
}

/** Runs parquet-mr's own tools of 2015 (`cat --json FILE`, `meta FILE`); the first call on a machine installs them. */
export async function runParquetTools(args: readonly string[]): Promise<ProcessResult> {
  const jars = await mavenJars('parquet-tools-1.8.1', [PARQUET_TOOLS, HADOOP]);
  const java = path.join(await findJava(), 'bin', 'java');
  return mustRun(java, ['-cp', path.join(jars, '*'), 'org.apache.parquet.tools.Main', ...args]);
}

/** Installs what the tests with old readers need. */
export async function prepareOldParquetReaders(): Promise<void> {
  if ((await findOldPythonProblem()) === undefined) await oldParquetPython();
  await runParquetTools(['--help']);
}
