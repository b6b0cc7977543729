import { ConnectorError, type SelectedStream } from '@fjord/core';
import type { Summed, SumsAnswer } from './ask-sums.ts';
import { compareRanges, compareRows, countRows, type DifferingKeys } from './compare-sums.ts';
import { type Failure, toFailure } from './failure.ts';

/** So many rows of ranges that differ are looked at one by one; of further ranges only their numbers are known. */
const MAX_LISTED = 250_000;

/** What became of one stream. `skipped`: its table is not meant to be what the source is. */
export type StreamVerdict = {
  stream: string;
  table: string;
  status: 'equal' | 'different' | 'repaired' | 'failed' | 'skipped';
  rows: { source: number; table: number };
  /** Of how many ranges of the key's hash which ones differ. */
  ranges: { count: number; differing: number[] };
  keys: DifferingKeys;
  /** Whether all keys that differ are named. */
  isListed: boolean;
  notes: string[];
  failure?: Failure;
};

/** The failure that stands for verdicts that are not good; undefined if all are. */
export function failureOfVerdicts(verdicts: readonly StreamVerdict[]): Failure | undefined {
  const named = (...wanted: StreamVerdict['status'][]) =>
    verdicts.filter(({ status }) => wanted.includes(status)).map(({ stream }) => stream);
  const different = named('different');
  if (different.length > 0) {
    const message = `The rows of ${different.join(', ')} are not the same at the source and in the table.`;
    return toFailure(new ConnectorError('rows_differ', message), 'engine');
  }
  const failed = named('failed');
  if (failed.length === 0) return undefined;
  const message = `These streams could not be compared: ${failed.join(', ')}.`;
  return toFailure(new ConnectorError('streams_failed', message), 'engine');
}

/** What both sides say. */
export type Answers = { source: SumsAnswer; table: SumsAnswer };

/** What the sums of ranges say of a stream. */
export function judgeRanges(selected: SelectedStream, answers: Answers, count: number): StreamVerdict {
  const blank = { ...blankVerdict(selected), ranges: { count, differing: [] } };
  const { source, table, failure } = both(answers, selected.stream);
  if (failure || !source || !table) return { ...blank, status: 'failed', ...(failure && { failure }) };
  const differing = compareRanges(source.sums, table.sums).map(({ range }) => range);
  const moves = differing.length > 0 && !selected.changes ? [MAY_HAVE_MOVED] : [];
  return {
    ...blank,
    status: differing.length === 0 ? 'equal' : 'different',
    rows: { source: countRows(source.sums), table: countRows(table.sums) },
    ranges: { count, differing },
    isListed: differing.length === 0,
    notes: [...(source.note === undefined ? [] : [source.note]), ...moves],
  };
}

type Listing = { selected: SelectedStream; answer: Answers; list: readonly number[] };

/** What the rows of the ranges that differ say of a stream. */
export function judgeRows(verdict: StreamVerdict, { selected, answer, list }: Listing): StreamVerdict {
  const { source, table, failure } = both(answer, selected.stream);
  if (failure || !source || !table) return { ...verdict, status: 'failed', ...(failure && { failure }) };
  const keys = compareRows(source.listed, table.listed, selected);
  const isListed = list.length === verdict.ranges.differing.length;
  const isEqual = keys.missing.length + keys.extra.length + keys.changed.length === 0;
  return { ...verdict, keys, isListed, status: isEqual && isListed ? 'equal' : 'different' };
}

function both({ source, table }: Answers, stream: string) {
  const failure = source.failures.get(stream) ?? table.failures.get(stream);
  return { source: source.streams.get(stream), table: table.streams.get(stream), failure };
}

/** The first of the ranges, as long as they have not too many rows to be looked at one by one. */
export function fewRanges(ranges: readonly number[], { source, table }: Answers, stream: string): number[] {
  const rowsIn = (summed: Summed | undefined) => new Map(summed?.sums.map(({ range, rows }) => [range, rows]));
  const [left, right] = [rowsIn(source.streams.get(stream)), rowsIn(table.streams.get(stream))];
  let rows = 0;
  return ranges.filter((range) => {
    rows += Math.max(left.get(range) ?? 0, right.get(range) ?? 0);
    return rows <= MAX_LISTED;
  });
}

/** What is said of a stream of which nothing is known yet. */
export function blankVerdict({ stream, target }: SelectedStream): StreamVerdict {
  return {
    stream,
    table: [...target.namespace, target.name].join('.'),
    status: 'equal',
    rows: { source: 0, table: 0 },
    ranges: { count: 0, differing: [] },
    keys: { missing: [], extra: [], changed: [] },
    isListed: true,
    notes: [],
  };
}

const MAY_HAVE_MOVED = 'it does not follow the change log: what was written since its last sync differs, too';
