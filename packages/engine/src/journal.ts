import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { OperatorLine } from './connector-process.ts';
import type { Failure } from './failure.ts';
import type { Pipeline } from './pipeline.ts';
import type { StreamProgress } from './progress.ts';

/** A run as the journal has it. `endedAt` is absent while it goes on, and where it was killed. Times are ISO 8601 in UTC. */
export type JournalRun = {
  run: number;
  startedAt: string;
  endedAt?: string;
  pid: number;
  mode: 'once' | 'follow';
  exitCode?: number;
  /** The failure that ended it. */
  code?: string;
  message?: string;
};
/** What became of one stream in a run. */
export type JournalStream = { run: number } & StreamProgress;
/** A line of a run's log. Lines of connectors, of the engine, and failures. */
export type JournalLine = {
  run: number;
  at: string;
  from: string;
  level: string;
  message: string;
  fields?: Record<string, unknown>;
};
/** Which lines: of one run or all, of a level and above, the last so many. */
export type LineFilter = { run?: number; level: (typeof LEVELS)[number]; limit: number };

/** Levels of log lines, from the least to the most important. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** A sync every minute fills the first in ten days. Older runs, and their lines, are removed. */
const MAX_RUNS = 15_000;
/** A line is about 200 bytes. */
const MAX_LINES = 200_000;
/** Another sync of the same pipeline may be writing. */
const WAIT_MS = 2_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, pid INTEGER NOT NULL,
    mode TEXT NOT NULL, exit_code INTEGER, code TEXT, message TEXT);
  CREATE TABLE IF NOT EXISTS streams (run INTEGER NOT NULL, stream TEXT NOT NULL, progress TEXT NOT NULL,
    PRIMARY KEY (run, stream)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lines (line INTEGER PRIMARY KEY, run INTEGER NOT NULL, at TEXT NOT NULL, origin TEXT NOT NULL,
    level INTEGER NOT NULL, message TEXT NOT NULL, fields TEXT);
`;

const fileOf = ({ folder, id }: Pick<Pipeline, 'folder' | 'id'>) => path.join(folder, '.fjord', id, 'journal.db');

/**
 * The runs of a pipeline from this folder: a SQLite file beside the state cache. It helps people, and no run depends on it: without it, or
 * where it cannot be written, nothing is lost.
 */
export class Journal implements Disposable {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Opens the journal to write into it; undefined where that cannot be. Only this user may read it. */
  static open(pipeline: Pick<Pipeline, 'folder' | 'id'>): Journal | undefined {
    const file = fileOf(pipeline);
    try {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      closeSync(openSync(file, 'a', 0o600));
      const database = new DatabaseSync(file, { timeout: WAIT_MS });
      // A crash of the machine may take the last lines along, and harms nothing.
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${TABLES}`);
      return new Journal(database);
    } catch {
      return undefined;
    }
  }

  /** Opens the journal to read; undefined if no run from this folder was recorded. */
  static read(pipeline: Pick<Pipeline, 'folder' | 'id'>): Journal | undefined {
    try {
      return new Journal(new DatabaseSync(fileOf(pipeline), { readOnly: true, timeout: WAIT_MS }));
    } catch {
      return undefined;
    }
  }

  /** Records that a run begins, and gives its number. */
  begin({ mode, pid }: Pick<JournalRun, 'mode' | 'pid'>, at: Date): number {
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO runs (started_at, pid, mode) VALUES (?, ?, ?)')
      .run(at.toISOString(), pid, mode);
    const run = Number(lastInsertRowid);
    this.#database.prepare('DELETE FROM runs WHERE run <= ?').run(run - MAX_RUNS);
    this.#database.prepare('DELETE FROM streams WHERE run <= ?').run(run - MAX_RUNS);
    this.#database.prepare('DELETE FROM lines WHERE line <= (SELECT max(line) FROM lines) - ?').run(MAX_LINES);
    return run;
  }

  /** Records how far the streams of a run are; all of them in one transaction. */
  put(run: number, streams: readonly StreamProgress[]): void {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO streams VALUES (?, ?, ?)');
    this.#database.exec('BEGIN IMMEDIATE');
    for (const stream of streams) insert.run(run, stream.stream, JSON.stringify(stream));
    this.#database.exec('COMMIT');
  }

  /** Records a line of the log; progress is none. */
  log(run: number, line: OperatorLine, { from, at }: { from: string; at: Date }): void {
    if (line.type === 'PROGRESS') return;
    const level = line.type === 'ERROR' ? 'error' : line.level;
    const fields =
      line.type === 'ERROR'
        ? { code: line.code, help: line.help, ...(line.stream !== undefined && { stream: line.stream }) }
        : line.fields;
    this.#database
      .prepare('INSERT INTO lines (run, at, origin, level, message, fields) VALUES (?, ?, ?, ?, ?, ?)')
      .run(run, at.toISOString(), from, LEVELS.indexOf(level), line.message, fields ? JSON.stringify(fields) : null);
  }

  /** Records the end of a run. */
  end(run: number, { exitCode, cause, at }: { exitCode: number; cause: Failure | undefined; at: Date }): void {
    this.#database
      .prepare('UPDATE runs SET ended_at = ?, exit_code = ?, code = ?, message = ? WHERE run = ?')
      .run(at.toISOString(), exitCode, cause?.code ?? null, cause?.message ?? null, run);
  }

  /** The newest runs, newest first. */
  runs(limit: number): JournalRun[] {
    const rows = this.#database.prepare('SELECT * FROM runs ORDER BY run DESC LIMIT ?').all(limit);
    return rows.map((row) => ({
      run: Number(row['run']),
      startedAt: String(row['started_at']),
      pid: Number(row['pid']),
      mode: row['mode'] === 'follow' ? 'follow' : 'once',
      ...(row['ended_at'] !== null && { endedAt: String(row['ended_at']) }),
      ...(row['exit_code'] !== null && { exitCode: Number(row['exit_code']) }),
      ...(row['code'] !== null && { code: String(row['code']) }),
      ...(row['message'] !== null && { message: String(row['message']) }),
    }));
  }

  /** The streams of a run, in the order of their names. */
  streams(run: number): JournalStream[] {
    const rows = this.#database.prepare('SELECT progress FROM streams WHERE run = ? ORDER BY stream').all(run);
    // Written by `put`.
    return rows.map(({ progress }) => ({ run, ...(JSON.parse(String(progress)) as StreamProgress) }));
  }

  /** The last lines that the filter lets pass, oldest first. */
  lines({ run, level, limit }: LineFilter): JournalLine[] {
    const rows = this.#database
      .prepare('SELECT * FROM lines WHERE run = coalesce(?, run) AND level >= ? ORDER BY line DESC LIMIT ?')
      .all(run ?? null, LEVELS.indexOf(level), limit);
    return rows.toReversed().map((row) => ({
      run: Number(row['run']),
      at: String(row['at']),
      from: String(row['origin']),
      level: LEVELS[Number(row['level'])] ?? 'info',
      message: String(row['message']),
      ...(row['fields'] !== null && { fields: JSON.parse(String(row['fields'])) as Record<string, unknown> }),
    }));
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
