import type { Message, SelectedStream } from '@fjord/core';
import { findChosenProblems, type FoundProblem, problemOf } from './find-problems.ts';
import type { Pipeline } from './pipeline.ts';
import { type Connector, placesOf, resolveConnector } from './resolve-connector.ts';
import { selectStreams } from './select-streams.ts';
import { Session, type SessionOptions } from './session.ts';

/** A connector of the pipeline as a diagnosis found it; `version` is absent where it is not installed or does not start. */
export type DiagnosedConnector = { role: Connector['role']; name: string; version?: string };

/** All that keeps a pipeline from running, and what it would run. `streams` is absent while the source cannot be asked. */
export type Diagnosis = {
  connectors: DiagnosedConnector[];
  problems: FoundProblem[];
  streams?: { count: number; estimatedRows: number; estimatedBytes: number };
};

/** Looks at everything at once, on both sides: whether the connectors are there, and what each of them and the pipeline's own choices lack. */
export async function diagnose(pipeline: Pipeline, options: SessionOptions = {}): Promise<Diagnosis> {
  const missing = findMissingConnectors(pipeline);
  if (missing.problems.length > 0) return missing;
  await using session = await Session.open(pipeline, options);
  const found = await findChosenProblems(session);
  const [source, destination] = found.specs;
  const streams = found.catalog && totalsOf(found.catalog, pipeline);
  return {
    connectors: [
      { role: 'source', name: session.source.name, version: source.version },
      { role: 'destination', name: session.destination.name, version: destination.version },
    ],
    problems: found.problems,
    ...(streams && { streams }),
  };
}

function findMissingConnectors(pipeline: Pipeline): Diagnosis {
  const places = placesOf(pipeline.folder);
  const diagnosis: Diagnosis = { connectors: [], problems: [] };
  for (const role of ['source', 'destination'] as const) {
    const { connector } = pipeline[role];
    const name = typeof connector === 'string' ? connector : (connector[0] ?? role);
    diagnosis.connectors.push({ role, name });
    try {
      resolveConnector(role, connector, places);
    } catch (thrown) {
      diagnosis.problems.push(problemOf(thrown, name));
    }
  }
  return diagnosis;
}

function totalsOf({ streams }: Message<'CATALOG'>, pipeline: Pipeline): Diagnosis['streams'] {
  let selected: SelectedStream[];
  try {
    selected = selectStreams(streams, pipeline);
  } catch {
    // Said already, as a problem of the pipeline.
    return undefined;
  }
  const sum = (values: (number | undefined)[]) => values.reduce<number>((total, value = 0) => total + value, 0);
  return {
    count: selected.length,
    estimatedRows: sum(selected.map(({ estimatedRows }) => estimatedRows)),
    estimatedBytes: sum(selected.map(({ estimatedBytes }) => estimatedBytes)),
  };
}
