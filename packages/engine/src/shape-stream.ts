import { type Column, ConnectorError, type SelectedStream, type Shape, type Stream } from '@fjord/core';
import { type ColumnOptions, compileTransform, type Transform } from './column-options.ts';
import { WrongSyntax } from './expression-syntax.ts';
import { compileFilter, type Filter } from './filter-option.ts';

/** What an entry says about rows and columns, and `file:line` of a part of it. */
export type ShapeRule = {
  filter?: Filter;
  columns?: ColumnOptions;
  cursor?: string | string[];
  placeOf(path: readonly (string | number)[]): string;
};

type Shaped = Pick<SelectedStream, 'columns' | 'primaryKey' | 'shape'>;
type Output = Shape['outputs'][number] & { from: Column | undefined };

/** The columns that a stream has in the destination, and how they and its rows come from the source's. Refuses what cannot be meant, with file and line. */
export function shapeStream(stream: Stream, rule: ShapeRule): Shaped {
  const outputs = findOutputs(stream, rule);
  checkNames(outputs, stream, rule);
  const primaryKey = stream.primaryKey.map((key) => keyColumn(key, outputs, { stream, rule }));
  const columns = outputs.map(({ column }) => column);
  const filter = rule.filter && findFilter(rule.filter, stream, rule);
  const isPlain = outputs.every(({ column, from }) => column === from);
  if (isPlain && !filter) return { columns, primaryKey };
  const shape: Shape = {
    columns: columnsToRead(stream, outputs, rule),
    primaryKey: stream.primaryKey,
    ...(filter && { filter }),
    outputs: outputs.map(({ column, expression }) => ({ column, expression })),
  };
  return { columns, primaryKey, shape };
}

function findOutputs(stream: Stream, rule: ShapeRule): Output[] {
  const { transform = {}, include, exclude } = rule.columns ?? {};
  if (include && exclude) throw refuse(rule, ['columns'], 'give either `include` or `exclude`');
  const known = stream.columns.flatMap((column) => keepColumn(column, stream, rule));
  const fresh = Object.entries(transform).filter(([name]) => !stream.columns.some((column) => column.name === name));
  const made = fresh.flatMap(([name, change]) =>
    change.constant === undefined && change.compute === undefined ? [] : [transformed(name, change, { stream, rule })],
  );
  const outputs = [...known, ...made];
  if (outputs.length === 0) throw refuse(rule, ['columns'], `${stream.stream} keeps no column`);
  return outputs;
}

function keepColumn(column: Column, stream: Stream, rule: ShapeRule): Output[] {
  const { name } = column;
  const { rename = {}, transform = {} } = rule.columns ?? {};
  const change = Object.hasOwn(transform, name) ? transform[name] : undefined;
  if (!isIncluded(name, rule.columns)) {
    if (!change || change.drop) return [];
    throw refuse(
      rule,
      ['columns', 'transform', name],
      `column "${name}" of ${stream.stream} is left out, and transformed`,
    );
  }
  if (change?.drop && Object.keys(change).length === 1) return [];
  if (change) return [transformed(name, change, { stream, rule })];
  const target = Object.hasOwn(rename, name) ? (rename[name] ?? name) : name;
  return [
    { column: target === name ? column : { ...column, name: target }, expression: { column: name }, from: column },
  ];
}

function isIncluded(name: string, { include, exclude = [] }: ColumnOptions = {}): boolean {
  return include ? include.includes(name) : !exclude.includes(name);
}

type Where = { stream: Stream; rule: ShapeRule };

function transformed(name: string, change: Transform, { stream, rule }: Where): Output {
  const from = stream.columns.find((column) => column.name === name);
  const { rename = {} } = rule.columns ?? {};
  const target = Object.hasOwn(rename, name) ? (rename[name] ?? name) : name;
  try {
    const { expression, type, nullable } = compileTransform(change, from, stream.columns);
    return { column: { name: target, type, nullable }, expression, from };
  } catch (thrown) {
    if (!(thrown instanceof WrongSyntax)) throw thrown;
    throw refuse(rule, ['columns', 'transform', name], `"${name}" of ${stream.stream}: ${thrown.message}`);
  }
}

function checkNames(outputs: Output[], { stream }: Stream, rule: ShapeRule): void {
  const taken = new Set<string>();
  for (const { column, from } of outputs) {
    if (taken.has(column.name)) {
      const part =
        from && rule.columns?.rename?.[from.name] === column.name ? ['columns', 'rename', from.name] : ['columns'];
      throw refuse(rule, part, `${stream} would have two columns "${column.name}"`);
    }
    taken.add(column.name);
  }
}

/** A key column may be renamed or hashed: then different keys still differ. */
function keyColumn(key: string, outputs: Output[], { stream, rule }: Where): string {
  const output = outputs.find(({ from }) => from?.name === key);
  if (!output) {
    throw refuse(rule, ['columns'], `column "${key}" is part of the key of ${stream.stream}`, KEEP_KEY);
  }
  const { expression } = output;
  if ('column' in expression || ('call' in expression && expression.call === 'hash')) return output.column.name;
  const place = ['columns', 'transform', key];
  throw refuse(rule, place, `column "${key}" is part of the key of ${stream.stream}`, KEEP_KEY);
}

const KEEP_KEY = 'Keep the key columns, or hash them: without them rows could not be told apart.';

function findFilter(filter: Filter, stream: Stream, rule: ShapeRule): NonNullable<Shape['filter']> {
  const placeOf = (path: readonly (string | number)[]) => rule.placeOf(['filter', ...path]);
  const condition = compileFilter(filter, { stream, placeOf });
  const named = new Set(columnsIn(condition));
  return { condition, columns: stream.columns.filter(({ name }) => named.has(name)) };
}

/** All names that stand under `column` in a tree of conditions or expressions. */
function columnsIn(tree: unknown): string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const own = 'column' in tree && typeof tree.column === 'string' ? [tree.column] : [];
  return [...own, ...Object.values(tree).flatMap(columnsIn)];
}

/** A source that reads in increments needs the cursor, whatever becomes of it; and one column there must be. */
function columnsToRead(stream: Stream, outputs: Output[], { cursor = [] }: ShapeRule): Column[] {
  const needed = new Set([...outputs.flatMap(({ expression }) => columnsIn(expression)), ...[cursor].flat()]);
  const read = stream.columns.filter(({ name }) => needed.has(name));
  return read.length > 0 ? read : stream.columns.slice(0, 1);
}

function refuse(rule: ShapeRule, path: string[], why: string, help = SEE_DOCS): ConnectorError {
  return new ConnectorError('config_invalid', `${rule.placeOf(path)}: ${why}.`, { help });
}

const SEE_DOCS = 'docs/streams.md has every transform and function; `fjord discover --json` lists the columns.';
