// Brings the pinned pnpm and Node to a fresh checkout, installs, and runs one script of package.json: `node scripts/bootstrap.mjs demo:run`.
// Plain JavaScript for Node 20, with nothing installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const OLDEST_NODE = 20;
const NEEDED_NODE = 24;

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const [script, ...scriptArgs] = process.argv.slice(2);

checkMachine();
await install();
checkNodeOfTheWorkspace();
process.exitCode = await runScript();

function checkMachine() {
  if (script === undefined) fail('Usage: node scripts/bootstrap.mjs SCRIPT [ARGUMENTS]');
  if (majorOf(process.versions.node) < OLDEST_NODE) {
    fail(`Fjord needs Node ${OLDEST_NODE} or newer to install itself; this is ${process.versions.node}.`);
  }
  const git = spawnSync('git', ['--version'], { stdio: 'ignore' });
  if (git.status !== 0) fail('Fjord needs git: install it (on Debian: apt-get install git).');
}

/** Quiet when all goes well; everything pnpm said when not. */
async function install() {
  const args = ['install', ...(process.env.CI ? ['--frozen-lockfile'] : [])];
  const isFirst = !existsSync(path.join(root, 'node_modules', '.modules.yaml'));
  if (isFirst) process.stderr.write('Installing Node 24 and the packages of the workspace ...\n');
  const { code, output } = await run(pnpm(args), 'pipe');
  if (code !== 0) fail(`${output}\npnpm install failed with exit code ${code}.`);
}

function checkNodeOfTheWorkspace() {
  const own = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(own) || majorOf(process.versions.node) >= NEEDED_NODE) return;
  fail(
    `Fjord needs Node ${NEEDED_NODE}, and npm has none for ${process.platform}-${process.arch}: install it yourself.`,
  );
}

async function runScript() {
  const { code } = await run(pnpm(['--silent', 'run', script, ...scriptArgs]), 'inherit');
  return code;
}

function pnpm(args) {
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return ['npx', ['--yes', packageManager, ...args]];
}

function run([command, args], output) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: [output === 'inherit' ? 'inherit' : 'ignore', output, output],
      shell: process.platform === 'win32',
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
    // Ctrl-C reaches the whole process group: the child ends in its own way, and we end after it.
    const passOn = (signal) => child.kill(signal);
    process.on('SIGINT', () => {});
    process.on('SIGTERM', passOn);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGTERM', passOn);
      resolve({ code: signal === null ? code : 1, output: text });
    });
  });
}

function majorOf(version) {
  return Number(version.split('.')[0]);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
