import { globSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pythonWith } from '../../src/python.ts';
import { mustRun, runProcess } from '../../src/index.ts';

const DEPLOY = path.resolve(import.meta.dirname, '../../../deploy');

test('the Kubernetes objects are what their schemas ask for', async () => {
  const python = await pythonWith('requirements-deploy.txt');

  const files = globSync('kubernetes/*.yaml', { cwd: DEPLOY });
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const file of files)
    await mustRun(python, ['-m', 'kubernetes_validate', '-k', '1.33', '--strict', path.join(DEPLOY, file)]);
});

test('the Airflow file is Python (Airflow itself is not installed for this)', async () => {
  const python = await pythonWith('requirements-deploy.txt');
  await mustRun(python, [
    '-c',
    'import ast, sys; ast.parse(open(sys.argv[1]).read())',
    path.join(DEPLOY, 'airflow/fjord_dag.py'),
  ]);
});

const systemd = await runProcess('systemd-analyze', ['--version']).catch(() => undefined);

test.skipIf(systemd?.exitCode !== 0)(
  'systemd takes the unit as it is (where systemd-analyze is installed)',
  async () => {
    const { exitCode, stderr } = await runProcess('systemd-analyze', [
      'verify',
      path.join(DEPLOY, 'systemd/fjord@.service'),
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  },
);
