import type { Message, Problem, Stream } from '@fjord/core';
import { askCatalog, askCheck, askSpec, type AskContext } from './ask-connector.ts';
import { placesOf, resolveConnector, type Role } from './resolve-connector.ts';
import { RunDirectory } from './run-directory.ts';
import { problemOf } from './find-problems.ts';

/** A connector by the name that a pipeline in `folder` would give it. */
export type NamedConnector = { role: Role; name: string; folder: string };
/** What a source says before there is a pipeline: what it lacks, and the streams there are. */
export type SourceSurvey = { problems: Problem[]; streams: Stream[] };

/** Where a server does not answer, a person has waited long enough. */
const SURVEY_DEADLINE_MS = 20_000;

/** The SPEC of a connector; undefined if it is not installed. */
export async function findSpec(connector: NamedConnector): Promise<Message<'SPEC'> | undefined> {
  try {
    return await askSpec(resolve(connector), contextIn(connector.folder));
  } catch {
    return undefined;
  }
}

/** Asks a source for its problems and streams with a config that no pipeline has yet. Never rejects: faults are problems. */
export async function surveySource(connector: NamedConnector, config: Record<string, unknown>): Promise<SourceSurvey> {
  try {
    await using folder = await RunDirectory.open();
    const file = await folder.write('source.json', config);
    const source = resolve(connector);
    const context = contextIn(connector.folder);
    const [{ problems }, { streams }] = await Promise.all([
      askCheck(source, { config: file }, context),
      askCatalog(source, file, context),
    ]);
    return { problems, streams };
  } catch (thrown) {
    return { problems: [problemOf(thrown, connector.name)], streams: [] };
  }
}

const contextIn = (folder: string): AskContext => ({
  folder,
  signal: AbortSignal.timeout(SURVEY_DEADLINE_MS),
  onLine: () => undefined,
});

const resolve = ({ role, name, folder }: NamedConnector) => resolveConnector(role, name, placesOf(folder));
