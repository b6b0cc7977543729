import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeOnce } from './cache.ts';
import { mustRun, runProcess } from './run-process.ts';
import { installSystemPackages } from './system-packages.ts';

/** A Maven artifact: `group:artifact:version` or `group:artifact:version:classifier`. */
export type MavenArtifact = string;

/** The folder of a set of jars with all that they depend on, fetched into the cache once for each name. */
export async function mavenJars(name: string, artifacts: readonly MavenArtifact[]): Promise<string> {
  const folder = await makeOnce(name, async (draft) => {
    await installMaven();
    await writeFile(path.join(draft, 'pom.xml'), projectOf(artifacts));
    const repository = path.join(draft, 'repository');
    const quiet = ['-B', '-q', `-Dmaven.repo.local=${repository}`];
    await mustRun('mvn', [...quiet, 'dependency:copy-dependencies', '-DoutputDirectory=lib'], { cwd: draft });
    await rm(repository, { recursive: true });
  });
  return path.join(folder, 'lib');
}

/** Installs Maven and a Java (Debian) unless they are there. */
export async function installMaven(): Promise<void> {
  if ((await runProcess('mvn', ['--version']).catch(() => undefined))?.exitCode === 0) return;
  await installSystemPackages(['maven', 'default-jre-headless']);
}

function projectOf(artifacts: readonly MavenArtifact[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version, classifier] = artifact.split(':');
    const parts = { groupId: group, artifactId: name, version, ...(classifier !== undefined && { classifier }) };
    return `<dependency>${Object.entries(parts)
      .map(([tag, text]) => `<${tag}>${text}</${tag}>`)
      .join('')}</dependency>`;
  });
  return `<project><modelVersion>4.0.0</modelVersion><groupId>fjord</groupId><artifactId>jars</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>`;
}
