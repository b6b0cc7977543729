import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { TcpProxy } from '../../src/index.ts';
import { parseLines, type Pipeline } from './pipeline.ts';

/** A chunk that the server was asked for: its table and first page. */
export type AskedChunk = { table: string; fromPage: number };
/** What a table's own state says is finished: all of the stream, or these of its chunks. */
export type Finished = { isComplete: boolean; chunks: number[] };
export type Victim = 'source' | 'destination' | 'both';

/** Shows every COPY that goes through the proxy; the statement is short, so that it comes in one piece. */
export function watchChunks(proxy: TcpProxy, onChunk: (chunk: AskedChunk) => void): void {
  proxy.onSent = (piece) => {
    const text = piece.toString('latin1');
    const [, table] = /COPY \(SELECT .* FROM ONLY (?:public\.)?(\w+)/.exec(text) ?? [];
    const [, fromPage = '0'] = /ctid >= '\((\d+),0\)'/.exec(text) ?? [];
    if (table !== undefined) onChunk({ table, fromPage: Number(fromPage) });
  };
}

/** The processes of a running sync's connectors, or of those that do these verbs. */
export function connectorsOf(sync: number, verbs = ['read', 'write']): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n');
  const children = lines.map((line) => line.trim().split(/\s+/)).filter(([, parent]) => Number(parent) === sync);
  return children.filter((words) => verbs.some((verb) => words.includes(verb))).map(([pid]) => Number(pid));
}

/** Kills a running sync's connectors with SIGKILL. */
export function killConnectors(sync: number, victim: Victim): void {
  const verbs = { source: ['read'], destination: ['write'], both: ['read', 'write'] }[victim];
  const pids = connectorsOf(sync, verbs);
  if (pids.length !== verbs.length)
    throw new Error(`the sync has ${pids.length} of the processes to kill: ${verbs.join()}`);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

/** A stream's own state, as its table holds it. */
export type DurableState = { stream: string; state: { phase: string; done?: [number, number][] } };

/** What the tables themselves say. */
export async function readStates(pipeline: Pipeline): Promise<DurableState[]> {
  const { stdout } = await pipeline.run('state');
  return (parseLines(stdout) as Partial<DurableState>[]).flatMap(({ stream, state }) =>
    typeof stream === 'string' && state ? [{ stream, state }] : [],
  );
}

/** What is finished, by table. */
export function finishedOf(states: DurableState[]): Map<string, Finished> {
  return new Map(
    states.map(({ stream, state }) => {
      const chunks = (state.done ?? []).flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
      return [stream.replace('public.', ''), { isComplete: state.phase === 'complete', chunks }];
    }),
  );
}

/**
 * The step that a kill has hit, by what it left: a metadata file that is not the table's (in a commit), a commit of which the engine never
 * heard (before its STATE was printed), data files younger than the last commit (written, not committed), or none of these.
 */
export async function stepHit(pipeline: Pipeline, states: DurableState[], tables: string[]): Promise<string> {
  const heard = readHeard(pipeline);
  const untold = states.filter(({ stream, state }) => !isDeepStrictEqual(state, heard[stream]));
  const steps = new Set<string>();
  for (const name of tables) steps.add(await stepOfTable(pipeline, name));
  if (steps.has('in a commit')) return 'in a commit';
  if (untold.length > 0) return 'between a commit and its STATE';
  return steps.has('between files and commit') ? 'between files and commit' : 'while chunks were read';
}

async function stepOfTable(pipeline: Pipeline, name: string): Promise<string> {
  const table = await pipeline.table('public', name).catch(() => undefined);
  if (!table) return 'no table yet';
  const folder = new URL(table.metadata.location).pathname;
  const metadata = path.basename(table.metadataLocation);
  const ageOf = (file: string) => statSync(path.join(folder, file)).mtimeMs;
  const committedAt = ageOf(`metadata/${metadata}`);
  const files = readdirSync(folder, { recursive: true }).map(String);
  const younger = files.filter((file) => /\.(parquet|metadata\.json)$/.test(file) && ageOf(file) > committedAt);
  if (younger.some((file) => file.endsWith('.metadata.json'))) return 'in a commit';
  return younger.length > 0 ? 'between files and commit' : 'while chunks were read';
}

/** The states that the engine was told are durable. */
function readHeard(pipeline: Pipeline): Record<string, unknown> {
  const file = path.join(pipeline.folder, '.fjord/e2e/state.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { streams: Record<string, unknown> }).streams;
}

/** Resolves when the server has been asked for this many chunks from now on. */
export function untilAsked(proxy: TcpProxy, chunks: number): Promise<void> {
  return new Promise((resolve) => {
    let asked = 0;
    watchChunks(proxy, () => {
      asked += 1;
      if (asked === chunks) resolve();
    });
  });
}
