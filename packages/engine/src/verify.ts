import {
  ConnectorError,
  ERROR_CODES,
  type Message,
  type SelectedStream,
  type Selection,
  type SumRequest,
} from '@fjord/core';
import { ConnectorFailed } from './ask-connector.ts';
import { askSums, toSumsFile } from './ask-sums.ts';
import { countRanges } from './compare-sums.ts';
import type { OperatorLine } from './connector-process.ts';
import type { Failure } from './failure.ts';
import type { Pipeline } from './pipeline.ts';
import { planRepair } from './repair.ts';
import type { Connector } from './resolve-connector.ts';
import { Session } from './session.ts';
import { matchesPattern } from './stream-pattern.ts';
import { runSync, type SyncOptions } from './sync.ts';
import { type Answers, blankVerdict, fewRanges, judgeRanges, judgeRows, type StreamVerdict } from './verdict.ts';

export type VerifyOptions = {
  /** Patterns of streams: all of the pipeline's unless any is given. */
  streams: readonly string[];
  /** Send again what differs, and compare once more. */
  isRepair: boolean;
  memoryMB?: number;
  signal: AbortSignal;
  onLine(line: OperatorLine, connector: Connector): void;
};

/**
 * Compares the tables of a pipeline's streams with their source, row by row by sums. Streams that follow the change log are compared at one
 * place of it: they are brought to just there, so that what is written meanwhile is no difference. Gives a verdict for each stream.
 */
export async function verifyTables(pipeline: Pipeline, options: VerifyOptions): Promise<StreamVerdict[]> {
  await using session = await Session.open(pipeline, options);
  const [specs, catalog] = await Promise.all([session.specs(), session.catalog()]);
  const { selected } = await session.select(catalog);
  const chosen = chooseStreams(selected, options.streams);
  requireVerification(specs);
  const comparable = chosen.filter((stream) => whyNot(stream) === undefined);
  const skipped = chosen.flatMap((stream) => {
    const why = whyNot(stream);
    return why === undefined ? [] : [{ ...blankVerdict(stream), status: 'skipped' as const, notes: [why] }];
  });
  const comparison = new Comparison(session, options);
  // What is not copied yet is copied first: only a stream that follows can be stopped at a place.
  if (comparable.some(({ changes }) => changes)) await comparison.sync({ until: undefined, repair: {} });
  const verdicts = await comparison.compare(comparable);
  const differing = verdicts.filter(({ status }) => status === 'different');
  if (!options.isRepair || differing.length === 0) return [...verdicts, ...skipped];
  const repaired = await repair(comparison, {
    differing,
    selected: comparable,
    canRepair: specs[0].capabilities.repair,
  });
  return [...verdicts.map((verdict) => repaired.get(verdict.stream) ?? verdict), ...skipped];
}

type Repairing = {
  differing: readonly StreamVerdict[];
  selected: readonly SelectedStream[];
  canRepair: boolean | undefined;
};

async function repair(
  comparison: Comparison,
  { differing, selected, canRepair }: Repairing,
): Promise<Map<string, StreamVerdict>> {
  const plan = planRepair(differing, selected, canRepair ?? false);
  const verdicts = new Map(differing.map((verdict) => [verdict.stream, verdict]));
  for (const { stream, notes } of differing) {
    const why = plan.refused.get(stream);
    if (why !== undefined) verdicts.set(stream, { ...verdicts.get(stream)!, notes: [...notes, why] });
  }
  const again = selected.filter(({ stream }) => stream in plan.rows || plan.backfill.includes(stream));
  if (again.length === 0) return verdicts;
  await comparison.sync({ until: undefined, repair: plan.rows }, plan.backfill);
  for (const verdict of await comparison.compare(again)) {
    const before = verdicts.get(verdict.stream)!;
    const isRepaired = verdict.status === 'equal';
    const how = plan.backfill.includes(verdict.stream) ? ['copied anew'] : [];
    verdicts.set(
      verdict.stream,
      isRepaired ? { ...before, status: 'repaired', notes: [...before.notes, ...how] } : verdict,
    );
  }
  return verdicts;
}

type Change = NonNullable<SyncOptions['changes']>;

/** Asks source and destination of one pipeline for sums, and compares them. */
class Comparison {
  readonly #session: Session;
  readonly #options: VerifyOptions;
  /** Streams that a sync did not bring to where it should, and why. */
  readonly #behind = new Map<string, Failure>();

  constructor(session: Session, options: VerifyOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Brings the streams that follow the log to a place of it. */
  async sync(changes: Change, backfill: readonly string[] = []): Promise<void> {
    const { signal, memoryMB, onLine } = this.#options;
    const memory = memoryMB === undefined ? {} : { memoryMB };
    const options = { signal, onLine, changes, backfill, ...memory, onProgress: () => undefined };
    const { streams, failures, cause, exitCode } = await runSync(this.#session.pipeline, options);
    const isPartial = exitCode === ERROR_CODES.streams_failed.exit && streams.length > 0;
    if (cause && !isPartial) throw new ConnectorFailed(cause);
    for (const { stream, status } of streams) {
      const failure = failures.find((other) => other.stream === stream) ?? cause;
      if (status !== 'COMPLETE' && failure) this.#behind.set(stream, failure);
    }
  }

  /** By ranges first; then, for those that differ, at a later place row by row: what only seemed to differ does not any more. */
  async compare(streams: readonly SelectedStream[]): Promise<StreamVerdict[]> {
    const requests = new Map(streams.map((selected) => [selected.stream, { ranges: countRanges(selected) }]));
    const first = await this.#ask(streams, requests);
    const verdicts = streams.map((selected) => judgeRanges(selected, first, requests.get(selected.stream)!.ranges));
    const lists = new Map<string, SumRequest>();
    for (const { stream, status, ranges } of verdicts) {
      if (status !== 'different') continue;
      const list = fewRanges(ranges.differing, first, stream);
      if (list.length > 0) lists.set(stream, { ranges: ranges.count, list });
    }
    if (lists.size === 0) return verdicts;
    const second = await this.#ask(
      streams.filter(({ stream }) => lists.has(stream)),
      lists,
    );
    return verdicts.map((verdict, index) => {
      const list = lists.get(verdict.stream)?.list;
      return list ? judgeRows(verdict, { selected: streams[index]!, answer: second, list }) : verdict;
    });
  }

  /** Both sides at the same place: the source says where its rows are, and the tables are brought there meanwhile. */
  async #ask(streams: readonly SelectedStream[], requests: ReadonlyMap<string, SumRequest>): Promise<Answers> {
    const { source, destination, configs, context, folder, pipeline } = this.#session;
    const { memoryMB } = this.#options;
    const selection: Selection = { pipeline: pipeline.id, streams: [...streams] };
    const files = {
      streams: await folder.write('compared.json', selection),
      sums: await folder.write('sums.json', toSumsFile(requests)),
    };
    let syncing: Promise<unknown> = Promise.resolve();
    const onPosition = (until: unknown) => {
      syncing = this.sync({ until, repair: {} });
      // Awaited below, once the source has told all.
      syncing.catch(() => undefined);
    };
    const fromSource = await askSums(
      source,
      { files: { ...files, config: configs.source }, memoryMB, onPosition },
      context,
    );
    await syncing;
    const fromTable = await askSums(
      destination,
      { files: { ...files, config: configs.destination }, memoryMB },
      context,
    );
    for (const [stream, failure] of this.#behind) if (requests.has(stream)) fromTable.failures.set(stream, failure);
    return { source: fromSource, table: fromTable };
  }
}

/** Why a stream's table cannot be expected to be as the source is. */
function whyNot({ changes, incremental, writeMode }: SelectedStream): string | undefined {
  if (changes && writeMode === 'append') return 'its table is a history, which has every change as a row';
  if (changes?.deletes === 'ignore') return 'its table keeps the rows that are deleted at the source (deletes: ignore)';
  if (incremental && writeMode === 'append') return 'its table has a row for each time that one was changed';
  return undefined;
}

function chooseStreams(selected: readonly SelectedStream[], patterns: readonly string[]): SelectedStream[] {
  for (const pattern of patterns) {
    if (selected.some((stream) => matchesPattern(pattern, stream))) continue;
    throw new ConnectorError('config_invalid', `No stream of the pipeline matches "${pattern}".`, {
      help: 'Give a stream or pattern that `fjord discover` lists and the pipeline chooses.',
    });
  }
  if (patterns.length === 0) return [...selected];
  return selected.filter((stream) => patterns.some((pattern) => matchesPattern(pattern, stream)));
}

function requireVerification(specs: readonly Message<'SPEC'>[]): void {
  const other = specs.find(({ capabilities }) => !capabilities.verification);
  if (!other) return;
  throw new ConnectorError(
    'unsupported',
    `The ${other.kind} ${other.name} cannot sum rows, so that nothing can be verified.`,
    {
      help: 'Update the connector.',
    },
  );
}
