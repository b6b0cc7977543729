import { ConnectorError, type Message, type Problem } from '@fjord/core';
import { findUnreadable, selectStreams } from './select-streams.ts';
import { requireShapes } from './connector-support.ts';
import { failureOfThrown, type Session } from './session.ts';

/** A problem and whose it is: the name of a connector, or `pipeline`. */
export type FoundProblem = Problem & { from: string };

/**
 * All that keeps a pipeline from copying what it chooses: what both connectors find, entries that choose nothing, and each chosen stream
 * that cannot be read. Problems of streams that no entry chooses are left out.
 */
export async function findProblems(session: Session): Promise<FoundProblem[]> {
  return (await findChosenProblems(session)).problems;
}

/** The problems, and what was asked to find them. `catalog` is absent where the source could not be asked. */
export type Findings = {
  problems: FoundProblem[];
  specs: [Message<'SPEC'>, Message<'SPEC'>];
  catalog?: Message<'CATALOG'>;
};

/** What `findProblems` finds, with both SPECs and the streams that it looked at. */
export async function findChosenProblems(session: Session): Promise<Findings> {
  const [[source, destination], catalog, specs] = await Promise.all([
    session.checks(),
    askStreams(session),
    session.specs(),
  ]);
  const ofSource = source.problems.map((problem) => ({ from: session.source.name, ...problem }));
  const ofDestination = destination.problems.map((problem) => ({ from: session.destination.name, ...problem }));
  if ('streams' in catalog) {
    const ofChanges = await findChangeProblems(session, catalog, ofSource);
    const found = { spec: specs[0], catalog, ofSource: [...ofSource, ...ofChanges] };
    return { problems: [...findStreamProblems(session, found), ...ofDestination], specs, catalog };
  }
  // A source that cannot be reached has said why already.
  return { problems: [...(ofSource.length > 0 ? ofSource : [catalog]), ...ofDestination], specs };
}

/** What keeps the chosen streams from following the change log, beyond what is known already. */
async function findChangeProblems(
  session: Session,
  { streams }: Message<'CATALOG'>,
  known: FoundProblem[],
): Promise<FoundProblem[]> {
  try {
    const followed = selectStreams(streams, session.pipeline).filter(({ changes }) => changes);
    if (followed.length === 0) return [];
    const problems = await session.checkChanges(followed);
    const isNew = (problem: Problem) => !known.some(({ message }) => message === problem.message);
    return problems.filter(isNew).map((problem) => ({ from: session.source.name, ...problem }));
  } catch (thrown) {
    // What cannot be selected is found, and said with its place, by whoever looks at the streams.
    return thrown instanceof ConnectorError ? [] : [problemOf(thrown, session.source.name)];
  }
}

function askStreams(session: Session): Promise<Message<'CATALOG'> | FoundProblem> {
  return session.catalog().catch((thrown: unknown) => problemOf(thrown, session.source.name));
}

function findStreamProblems(
  { pipeline, source }: Session,
  { spec, catalog, ofSource }: { spec: Message<'SPEC'>; catalog: Message<'CATALOG'>; ofSource: FoundProblem[] },
): FoundProblem[] {
  const { streams } = catalog;
  try {
    const selected = selectStreams(streams, pipeline);
    requireShapes(spec, selected);
    const unreadable = findUnreadable(streams, pipeline);
    const chosen = new Set([...selected, ...unreadable].map(({ stream }) => stream));
    const needed = new Set(unreadable.map(({ fix }) => fix));
    const others = new Set(
      streams.flatMap(({ unreadable: fault }) => (fault && !needed.has(fault.fix) ? [fault.fix] : [])),
    );
    const relevant = ofSource.filter(({ stream, fix }) =>
      stream === undefined ? !others.has(fix) : chosen.has(stream),
    );
    const isSaid = (stream: string, fix: string) =>
      relevant.some((problem) => problem.stream === stream || problem.fix === fix);
    const unsaid = unreadable
      .filter(({ stream, fix }) => !isSaid(stream, fix))
      .map(({ stream, message, fix }) => ({ from: source.name, code: 'permission_denied', message, fix, stream }));
    return [...relevant, ...unsaid];
  } catch (thrown) {
    return [...ofSource, problemOf(thrown, 'pipeline')];
  }
}

/** Whatever was thrown, as a problem of `from`. */
export function problemOf(thrown: unknown, from: string): FoundProblem {
  const { code, message, help, stream } = failureOfThrown(thrown);
  return { from, code, message, fix: help, ...(stream !== undefined && { stream }) };
}
