import type { Message, SelectedStream, TableContents } from '@fjord/core';
import { formatColumnType } from '@fjord/core';
import { ConnectorFailed } from './ask-connector.ts';
import type { UnreadableStream } from './select-streams.ts';
import type { Session } from './session.ts';

/** What the next sync would do with one stream. */
export type StreamPlan = {
  stream: string;
  target: string;
  syncMode: 'full' | 'incremental' | 'changes';
  writeMode: SelectedStream['writeMode'];
  /** copy: all rows. resume: those that are not there yet. increment, changes: what is new. nothing: it is complete. */
  action: 'copy' | 'resume' | 'increment' | 'changes' | 'nothing';
  /** By the source's statistics, where rows of the whole stream are read. */
  rows?: number;
  bytes?: number;
  table: TablePlan;
};

/** What becomes of the table: made, changed (a sentence each), left as it is; unknown where the destination cannot be asked about it. */
export type TablePlan = { action: 'create' | 'change' | 'keep' | 'unknown'; changes: string[]; warning?: string };

/** What a sync would do, without a row having been asked for. */
export type SyncPlan = {
  streams: StreamPlan[];
  unreadable: UnreadableStream[];
  /** How rows that change while they are read are kept apart, by the source's options; absent where it has none. */
  consistency?: string;
  profile?: string;
};

/** Plans the next sync from what both sides say: the streams there are, the durable states and the tables. */
export async function planSync(session: Session): Promise<SyncPlan> {
  const [[spec], catalog] = await Promise.all([session.specs(), session.catalog()]);
  const { selected, unreadable, file } = await session.select(catalog);
  const [states, tables] = await Promise.all([session.states(file), askTables(session, file)]);
  const stateOf = new Map(states.map(({ stream, state }) => [stream, state]));
  const tableOf = new Map(tables?.map(({ stream, contents }) => [stream, contents]));
  const streams = selected.map((stream) =>
    planStream(stream, {
      state: stateOf.get(stream.stream),
      table: tables
        ? planTable(stream, { contents: tableOf.get(stream.stream), isOurs: stateOf.has(stream.stream) })
        : UNKNOWN,
    }),
  );
  const option = (name: string) => optionOf(session.pipeline.source.config, spec.config, name);
  const [consistency, profile] = [option('consistency'), option('profile')];
  return {
    streams,
    unreadable,
    ...(consistency !== undefined && { consistency }),
    ...(profile !== undefined && { profile }),
  };
}

const UNKNOWN: TablePlan = { action: 'unknown', changes: [] };

async function askTables(session: Session, file: string): Promise<Message<'TABLE'>[] | undefined> {
  try {
    return await session.tables(file);
  } catch (thrown) {
    if (thrown instanceof ConnectorFailed && thrown.failure.code === 'unsupported') return undefined;
    throw thrown;
  }
}

/** What a state tells by its `phase` alone is enough for a plan; a source without phases is taken to go on with what is new. */
export function planStream(stream: SelectedStream, { state, table }: { state: unknown; table: TablePlan }): StreamPlan {
  const action = actionOf(stream, phaseOf(state));
  const { estimatedRows, estimatedBytes } = stream;
  const isWhole = action === 'copy' || action === 'resume';
  return {
    stream: stream.stream,
    target: [...stream.target.namespace, stream.target.name].join('.'),
    syncMode: stream.changes ? 'changes' : stream.incremental ? 'incremental' : 'full',
    writeMode: stream.writeMode,
    action,
    ...(isWhole && estimatedRows !== undefined && { rows: estimatedRows }),
    ...(isWhole && estimatedBytes !== undefined && { bytes: estimatedBytes }),
    table,
  };
}

function actionOf(
  { changes, incremental, writeMode }: SelectedStream,
  phase: string | undefined,
): StreamPlan['action'] {
  if (phase === undefined) return 'copy';
  if (phase === 'backfill') return 'resume';
  if (changes) return phase === 'following' ? 'changes' : 'copy';
  if (phase === 'following') return 'copy';
  if (incremental) return 'increment';
  return writeMode === 'append' ? 'nothing' : 'copy';
}

/** `complete` for a state that has no phase; undefined where there is no state. */
function phaseOf(state: unknown): string | undefined {
  if (state === undefined || state === null) return undefined;
  const phase = typeof state === 'object' && 'phase' in state ? state.phase : undefined;
  return typeof phase === 'string' ? phase : 'complete';
}

/** Compares the columns that the stream has with those that its table has. Columns that begin with `_fjord_` are the destination's own. */
export function planTable(
  stream: SelectedStream,
  { contents, isOurs }: { contents: TableContents | undefined; isOurs: boolean },
): TablePlan {
  if (!contents) return { action: 'create', changes: [] };
  const there = new Map(contents.columns.map((column) => [column.name, column]));
  const changes: string[] = [];
  for (const { name, type, nullable } of stream.columns) {
    const column = there.get(name);
    const wanted = formatColumnType(type);
    if (!column) changes.push(`add ${name} ${wanted}`);
    else if (spelled(column.type) !== spelled(wanted))
      changes.push(`${name}: ${column.type} becomes ${wanted} if it can hold it`);
    else if (nullable && !column.nullable && !stream.primaryKey.includes(name)) changes.push(`${name} may be null`);
  }
  const sent = new Set(stream.columns.map(({ name }) => name));
  for (const name of there.keys()) {
    if (!sent.has(name) && !name.startsWith('_fjord_')) changes.push(`${name} stays, and is null in new rows`);
  }
  const isForeign = !isOurs && stream.adopt !== true && contents.files.rows > 0;
  return {
    action: changes.length > 0 ? 'change' : 'keep',
    changes,
    ...(isForeign && { warning: 'holds rows of others: set `adopt: true` to write to it' }),
  };
}

/** Iceberg writes `decimal(9, 2)` and `fixed[16]` where we write `decimal(9,2)` and `fixed(16)`. */
const spelled = (type: string) => type.replaceAll(' ', '').replaceAll('[', '(').replaceAll(']', ')');

/** An option of the source that is a plain text, or its default. */
function optionOf(
  config: Record<string, unknown> | undefined,
  schema: Record<string, unknown>,
  name: string,
): string | undefined {
  const given = config?.[name];
  if (typeof given === 'string') return given;
  const properties = schema['properties'];
  if (typeof properties !== 'object' || properties === null) return undefined;
  const option: unknown = Reflect.get(properties, name);
  const value: unknown = typeof option === 'object' && option !== null ? Reflect.get(option, 'default') : undefined;
  return typeof value === 'string' ? value : undefined;
}
