import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runPython, runProcess, temporaryFolder } from '@fjord/test-harness';
import { expect, test } from 'vitest';

const TERMINAL = path.join(import.meta.dirname, 'pseudo-terminal.py');
const CLI = path.join(import.meta.dirname, '../src/bin.ts');

/** Runs `fjord init` on a terminal, where each text that it prints is answered. */
function initOnTerminal(folder: string, steps: [shown: string, typed: string][]) {
  return runPython(TERMINAL, [JSON.stringify(steps), process.execPath, CLI, 'init'], { cwd: folder });
}

test('init asks on a terminal for what no flag says, and again where there is no default', async () => {
  await using folder = await temporaryFolder('fjord-init');
  const { stdout } = await initOnTerminal(folder.path, [
    ['host [localhost]: ', 'db.example.com\r'],
    ['Port [5432]: ', '\r'],
    ['Database: ', '\r'],
    ['Database: ', 'shop\r'],
    ['User: ', 'fjord\r'],
    ['[${env:PGPASSWORD}]: ', '${env:SHOP_PASSWORD}\r'],
    ['[verify-full]: ', 'disable\r'],
    ['[public.*]: ', 'sales.*\r'],
    ['[append]: ', 'overwrite\r'],
    ['[./warehouse]: ', '\r'],
  ]);
  // No variable has the password, so the source cannot be asked: that is said, and nothing is lost by it.
  expect(stdout).toContain('fix: Set the named environment variable');
  expect(stdout).toContain('Wrote pipeline.yaml.');
  const text = readFileSync(path.join(folder.path, 'pipeline.yaml'), 'utf8');
  for (const line of [
    'host: "db.example.com"',
    'port: 5432',
    'database: "shop"',
    'user: "fjord"',
    'password: "${env:SHOP_PASSWORD}"',
    'tls: { mode: "disable" }',
    'warehouse: "./warehouse"',
    'match: "sales.*"',
    'writeMode: overwrite',
  ]) {
    expect(text).toContain(line);
  }
});

test('init refuses a password typed in place of a reference, and ends with 130 on Ctrl-C', async () => {
  await using folder = await temporaryFolder('fjord-init');
  const answers: [string, string][] = [
    ['host [localhost]: ', '\r'],
    ['Port [5432]: ', '\r'],
    ['Database: ', 'shop\r'],
    ['User: ', 'fjord\r'],
  ];
  const rest: [string, string][] = [['[verify-full]: ', '\r']];
  await expect(
    initOnTerminal(folder.path, [...answers, ['[${env:PGPASSWORD}]: ', 'secret\r'], ...rest]),
  ).rejects.toThrow(/exit code 2[^]*The password is no reference/);
  await expect(initOnTerminal(folder.path, [...answers, ['[${env:PGPASSWORD}]: ', '\x03']])).rejects.toThrow(
    'exit code 130',
  );
});

test('init without a terminal names the flags that are missing', async () => {
  const { exitCode, stderr } = await runProcess(process.execPath, [CLI, 'init', '--host', 'db']);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: 'error: init needs --database, --user, --warehouse.\nfix: See fjord init --help.\n',
  });
});
