import { mustRun, runProcess } from './run-process.ts';

// dpkg's lock may be held by another test process, or by the machine's own updates.
const WAIT_FOR_LOCK = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];

let updated: Promise<unknown> | undefined;

/** Installs Debian packages with apt-get; where that cannot be done, the error says which command to run. */
export async function installSystemPackages(names: readonly string[]): Promise<void> {
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  const apt = await runProcess('apt-get', ['--version']).catch(() => undefined);
  if (apt?.exitCode !== 0 || process.getuid?.() !== 0) {
    throw new Error(`These programs are missing: ${names.join(', ')}. Install them (on Debian, as root: ${command}).`);
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  updated ??= mustRun('apt-get', [...WAIT_FOR_LOCK, 'update', '-q'], { env });
  await updated;
  await mustRun('apt-get', [...WAIT_FOR_LOCK, 'install', '-y', '-q', '--no-install-recommends', ...names], { env });
}
