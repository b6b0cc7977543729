import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeOnce } from './cache.ts';
import { mustRun, runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';
import { installSystemPackages } from './system-packages.ts';

/** The folder with the harness's Python files. */
export const PYTHON_FOLDER = path.resolve(import.meta.dirname, '..', 'python');

const OLDEST_PYTHON = '(3, 10)';

/** The path of a Python that has PyIceberg, PyArrow and DuckDB with its extensions; the first call on a machine installs them. */
export async function python(): Promise<string> {
  return pythonWith('requirements.txt');
}

/** Runs a Python file (a name that ends in .py) or Python code to its end with `python()`; rejects if it exits with anything but 0. */
export async function runPython(
  script: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return mustRun(await python(), [...(script.endsWith('.py') ? [] : ['-c']), script, ...args], options);
}

/** The path of a Python that has what a requirements file of the harness pins, installed once for each content of that file. */
export async function pythonWith(requirementsName: string): Promise<string> {
  const requirements = path.join(PYTHON_FOLDER, requirementsName);
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = await makeOnce(`python-${hash}`, async (draft) => {
    await makeEnvironment(draft);
    await mustRun(path.join(draft, 'bin', 'python'), [...PIP_INSTALL, '-r', requirements]);
  });
  return path.join(folder, 'bin', 'python');
}

/** The arguments after `python` that install packages quietly. */
export const PIP_INSTALL = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--root-user-action=ignore'];

/** Makes an empty Python environment in a folder. It may be renamed later: its programs are run as `bin/python -m`. */
export async function makeEnvironment(folder: string): Promise<void> {
  await mustRun(await findSystemPython(), ['-m', 'venv', folder]);
}

async function findSystemPython(): Promise<string> {
  const candidates = ['python3', '/usr/bin/python3'];
  for (const candidate of candidates) if (await canMakeEnvironments(candidate)) return candidate;
  await installSystemPackages(['python3', 'python3-venv']);
  return '/usr/bin/python3';
}

async function canMakeEnvironments(command: string): Promise<boolean> {
  const code = `import sys, venv, ensurepip; sys.exit(sys.version_info < ${OLDEST_PYTHON})`;
  const result = await runProcess(command, ['-c', code]).catch(() => undefined);
  return result?.exitCode === 0;
}
