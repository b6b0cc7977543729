import { ConnectorError, type SelectedStream, type Stream } from '@fjord/core';
import { selectChanges } from './changes.ts';
import { selectIncremental } from './incremental.ts';
import { namedColumns } from './column-options.ts';
import { WrongSyntax } from './expression-syntax.ts';
import { shapeStream } from './shape-stream.ts';
import { matchesPattern, nameOf } from './stream-pattern.ts';
import { fillTemplate } from './target-template.ts';
import type { Pipeline } from './pipeline.ts';
import type { StreamRule } from './pipeline-schema.ts';

type Choice = { stream: Stream; rule: StreamRule; index: number };

/**
 * Chooses streams and columns by the pipeline's entries, in the order of the catalog, from those that can be read. Whatever cannot be
 * meant is refused, with file and line.
 */
export function selectStreams(streams: readonly Stream[], pipeline: Pipeline): SelectedStream[] {
  const choices = streams.flatMap((stream) => chooseRule(stream, pipeline.streams));
  for (const index of pipeline.streams.keys()) checkRule(index, { streams, choices, pipeline });
  const readable = choices.filter(({ stream }) => !stream.unreadable);
  const selected = readable.map((choice) => selectStream(choice, pipeline));
  checkTargets(selected, readable, pipeline);
  return selected;
}

/** A stream that an entry chooses and that cannot be read: why, and what to do. `isNamed`: the entry names it outright, by no pattern. */
export type UnreadableStream = { stream: string; target: string; message: string; fix: string; isNamed: boolean };

/** The chosen streams that cannot be read, in the order of the catalog. Streams that no entry chooses do not matter. */
export function findUnreadable(streams: readonly Stream[], pipeline: Pipeline): UnreadableStream[] {
  return streams.flatMap((stream) => {
    const { unreadable } = stream;
    const [choice] = unreadable ? chooseRule(stream, pipeline.streams) : [];
    if (!choice || !unreadable) return [];
    const { namespace, name } = targetOf(choice, placesOf(choice, pipeline));
    const isNamed = listOf(choice.rule.match).some((text) => text === stream.stream || text === nameOf(stream));
    return [{ stream: stream.stream, target: [...namespace, name].join('.'), ...unreadable, isNamed }];
  });
}

function chooseRule(stream: Stream, rules: readonly StreamRule[]): Choice[] {
  const index = rules.findIndex(
    ({ match, exclude = [] }) =>
      listOf(match).some((pattern) => matchesPattern(pattern, stream)) &&
      !listOf(exclude).some((pattern) => matchesPattern(pattern, stream)),
  );
  const rule = rules[index];
  return rule === undefined ? [] : [{ stream, rule, index }];
}

/** Refuses an entry that has no effect: a pattern that matches nothing, no stream left for it, or a column that no stream has. */
function checkRule(index: number, run: { streams: readonly Stream[]; choices: Choice[]; pipeline: Pipeline }): void {
  const rule = run.pipeline.streams[index];
  if (rule === undefined) return;
  const place = run.pipeline.placeOf(['streams', index, 'match']);
  for (const pattern of listOf(rule.match)) {
    if (run.streams.some((stream) => matchesPattern(pattern, stream))) continue;
    throw new ConnectorError('no_stream_matches', `${place}: the pattern "${pattern}" matches no stream.`);
  }
  const own = run.choices.filter((choice) => choice.index === index);
  if (own.length === 0) {
    throw new ConnectorError('no_stream_matches', `${place}: no stream is left for this entry.`, {
      help: 'Its streams are excluded, or an earlier entry has taken them: the first that matches counts.',
    });
  }
  const present = new Set(own.flatMap(({ stream }) => stream.columns.map(({ name }) => name)));
  const missing = namedColumns(rule.columns ?? {}).find((name) => !present.has(name));
  if (missing === undefined) return;
  const columns = run.pipeline.placeOf(['streams', index, 'columns']);
  throw new ConnectorError('config_invalid', `${columns}: no stream of this entry has a column "${missing}".`, {
    help: 'Run `fjord discover --json` to see the columns there are.',
  });
}

function selectStream({ stream, rule, index }: Choice, pipeline: Pipeline): SelectedStream {
  const { namespace, name, estimatedRows, estimatedBytes } = stream;
  const placeOf = placesOf({ index }, pipeline);
  return {
    stream: stream.stream,
    ...(namespace !== undefined && { namespace }),
    name,
    ...shapeStream(stream, { ...rule, placeOf }),
    ...(estimatedRows !== undefined && { estimatedRows }),
    ...(estimatedBytes !== undefined && { estimatedBytes }),
    ...selectChanges(stream, rule, placeOf([])),
    ...selectIncremental(stream, rule, placeOf([])),
    target: targetOf({ stream, rule }, placeOf),
    ...(rule.whenChanged && { whenChanged: rule.whenChanged }),
    ...(rule.adopt !== undefined && { adopt: rule.adopt }),
    ...tableLayout(rule),
  };
}

/** The entry's options that only the destination understands. */
function tableLayout(rule: StreamRule) {
  const { partition, sort, tableProperties, formatVersion, onIncompatible, onRename } = rule;
  return {
    ...(partition && { partition }),
    ...(sort && { sort }),
    ...(tableProperties && { tableProperties }),
    ...(formatVersion && { formatVersion }),
    ...(onIncompatible && { onIncompatible }),
    ...(onRename && { onRename }),
  };
}

type PlaceOf = (path: readonly (string | number)[]) => string;

/** `file:line` of parts of an entry. */
const placesOf =
  ({ index }: Pick<Choice, 'index'>, pipeline: Pipeline): PlaceOf =>
  (path) =>
    pipeline.placeOf(['streams', index, ...path]);

function targetOf({ stream, rule }: Pick<Choice, 'stream' | 'rule'>, placeOf: PlaceOf): SelectedStream['target'] {
  const { target = {} } = rule;
  const { namespace = '{namespace}', name = '{name}', location } = target;
  const fill = (template: string, option: string) => {
    try {
      return fillTemplate(template, stream);
    } catch (thrown) {
      if (!(thrown instanceof WrongSyntax)) throw thrown;
      throw new ConnectorError('config_invalid', `${placeOf(['target', option])}: ${thrown.message}.`, {
        help: 'docs/streams.md has the variables and functions of a template.',
      });
    }
  };
  return {
    namespace: listOf(namespace).map((part) => fill(part, 'namespace')),
    name: fill(name, 'name'),
    ...(location !== undefined && { location }),
  };
}

/** Two streams in one table could not be told apart there. */
function checkTargets(selected: SelectedStream[], choices: Choice[], pipeline: Pipeline): void {
  const taken = new Map<string, string>();
  for (const [position, { stream, target }] of selected.entries()) {
    const key = JSON.stringify([target.namespace, target.name]);
    const other = taken.get(key);
    taken.set(key, stream);
    if (other === undefined) continue;
    const place = pipeline.placeOf(['streams', choices[position]?.index ?? 0, 'target']);
    const table = [...target.namespace, target.name].join('.');
    throw new ConnectorError('config_invalid', `${place}: ${other} and ${stream} would share the table ${table}.`, {
      help: 'Give each stream a target of its own, for instance by a template: `name: {namespace}_{name}`.',
    });
  }
}

const listOf = (value: string | string[]): string[] => (typeof value === 'string' ? [value] : value);
