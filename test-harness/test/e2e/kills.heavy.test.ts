import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, sortRows, startPostgres, temporaryFolder } from '../../src/index.ts';
import { parseLines, Pipeline } from './pipeline.ts';

/** 4 combinations with 5 kills each; every run is killed later than the one before it. */
const KILLS = 5;
const TABLES = 10;
let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres({ settings: { max_connections: '50' } });
  for (let table = 0; table < TABLES; table++) {
    await postgres.query(`CREATE TABLE k${table} (id int PRIMARY KEY, v numeric(10,2), pad text)`);
    await postgres.query(`INSERT INTO k${table} SELECT g, g / 7.0, repeat('p', 100) FROM generate_series(1, 30000) g`);
  }
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

/** The pids of a sync's connectors, by what they do. */
function pidsOf(parent: number): { read: number[]; write: number[] } {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n');
  const children = lines.filter((line) => Number(line.trim().split(/\s+/)[1]) === parent);
  const pick = (verb: string) =>
    children.filter((line) => line.includes(` ${verb} --config`)).map((line) => Number(line.trim().split(/\s+/)[0]));
  return { read: pick('read'), write: pick('write') };
}

test.each([
  ['append', 'snapshot'],
  ['append', 'chunk'],
  ['overwrite', 'snapshot'],
  ['overwrite', 'chunk'],
] as const)('%s in %s consistency survives kills of source, destination and both', async (writeMode, consistency) => {
  await using folder = await temporaryFolder('fjord-kills');
  const pipeline = new Pipeline(folder.path, postgres, {
    writeMode,
    source: { consistency, chunkMB: 0.1, parallel: 2 },
    destination: { commitIntervalSeconds: 0 },
  });
  const finished = new Set<string>();
  const hits: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const sync = pipeline.start();
    let output = '';
    sync.stderr.on('data', (data: Buffer) => (output += data.toString()));
    sync.stdout.resume();
    const ended = new Promise((resolve) => sync.on('close', resolve));
    const before = await countCommits(pipeline);
    // Some commits further each time: the kills spread over the run.
    while ((await countCommits(pipeline)) < before + 3 + kill * 2 && sync.exitCode === null) await delay(50);
    const victims = pidsOf(sync.pid ?? 0);
    const who = (['read', 'write', 'both'] as const)[kill % 3] ?? 'both';
    for (const pid of who === 'both' ? [...victims.read, ...victims.write] : victims[who]) process.kill(pid, 'SIGKILL');
    await ended;
    hits.push(`${who} after ${await countCommits(pipeline)} commits`);
    const read = parseLines(output)
      .filter(({ type }) => type === 'PROGRESS')
      .map(({ stream }) => String(stream));
    for (const stream of read) expect(finished, `${stream} was read again; ${hits.join(', ')}`).not.toContain(stream);
    const { isRunEnded, complete } = await readStates(pipeline);
    // After the end of a run an overwrite reads everything anew, and should.
    finished.clear();
    if (!isRunEnded || writeMode === 'append') for (const stream of complete) finished.add(stream);
  }
  const last = await pipeline.sync();
  expect(last.exitCode, last.stderr).toBe(0);
  for (let table = 0; table < TABLES; table++) {
    const expected = await pipeline.expected(`SELECT id, v, pad FROM k${table}`);
    const actual = await pipeline.read('duckdb', `k${table}`);
    expect(actual.rows, `k${table}; ${hits.join(', ')}`).toEqual(sortRows(expected.rows));
  }
});

/** How many metadata commits all tables have had. */
async function countCommits(pipeline: Pipeline): Promise<number> {
  let commits = 0;
  for (let table = 0; table < TABLES; table++) {
    const found = await pipeline.table('public', `k${table}`).catch(() => undefined);
    commits += found?.metadata['metadata-log'].length ?? 0;
  }
  return commits;
}

/** What the tables say: the streams that are complete, and whether the run reached its end. */
async function readStates(pipeline: Pipeline): Promise<{ isRunEnded: boolean; complete: string[] }> {
  const { stdout } = await pipeline.run('state');
  const lines = parseLines(stdout) as {
    stream?: string | null;
    state?: { phase?: string; run?: number; ended?: boolean };
  }[];
  const shared = lines.find(({ stream }) => stream === null)?.state;
  return {
    isRunEnded: shared?.ended === true,
    // What an earlier run completed is read anew by an overwrite.
    complete: lines.flatMap(({ stream, state }) =>
      typeof stream === 'string' && state?.phase === 'complete' && state.run === (shared?.run ?? 1) ? [stream] : [],
    ),
  };
}
