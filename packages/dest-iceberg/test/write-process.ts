import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Column, SelectedStream } from '@fjord/core';
import { openSqlCatalog, type Table } from '@fjord/iceberg';
import { readWithPyIceberg } from '@fjord/test-harness';

const BIN = path.join(import.meta.dirname, '../src/bin.ts');

export const COLUMNS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'name', type: 'string', nullable: true },
];

type Line = { type: string; [field: string]: unknown };
type Options = {
  writeMode?: 'append' | 'overwrite' | 'upsert';
  primaryKey?: string[];
  pipeline?: string;
  adopt?: boolean;
  columns?: Column[];
  commitIntervalSeconds?: number;
  /** Options of the stream that lay out its table. */
  layout?: Partial<SelectedStream>;
  config?: Record<string, unknown>;
};

/** The config, streams file and tables of one test's warehouse. */
export class Lake {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Starts `write` for the stream `s`, into the table db.s. */
  write(options: Options = {}, ...args: string[]): WriteProcess {
    const { writeMode = 'append', pipeline = 'p', columns = COLUMNS, commitIntervalSeconds = 0 } = options;
    const { primaryKey = ['id'] } = options;
    const id = Math.random().toString(36).slice(2);
    const config = path.join(this.folder, `config-${id}.json`);
    const streams = path.join(this.folder, `streams-${id}.json`);
    writeFileSync(
      config,
      JSON.stringify({
        warehouse: path.join(this.folder, 'lake'),
        workers: 1,
        commitIntervalSeconds,
        ...options.config,
      }),
    );
    const target = { namespace: ['db'], name: 's' };
    const stream = {
      stream: 's',
      name: 's',
      columns,
      primaryKey,
      writeMode,
      target,
      ...(options.adopt && { adopt: true }),
      ...options.layout,
    };
    writeFileSync(streams, JSON.stringify({ pipeline, streams: [stream] }));
    return new WriteProcess(
      spawn(process.execPath, [BIN, 'write', '--config', config, '--streams', streams, ...args], {
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
      { columns, primaryKey },
    );
  }

  async table(): Promise<Table | undefined> {
    const lake = path.join(this.folder, 'lake');
    await using catalog = await openSqlCatalog({
      uri: `sqlite:///${lake}/catalog.db`,
      name: 'fjord',
      warehouse: `file://${lake}`,
    });
    return catalog.loadTable({ namespace: ['db'], name: 's' });
  }

  /** The ids in the table as PyIceberg reads it, in order. */
  async ids(): Promise<number[]> {
    const table = await this.table();
    if (!table) throw new Error('there is no table');
    const { rows } = await readWithPyIceberg({ metadataLocation: table.metadataLocation, columns: ['id'] });
    return rows.map(([id]) => Number(id)).toSorted((a, b) => a - b);
  }
}

/** A running `write`, spoken to in protocol lines. */
export class WriteProcess implements AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly errors: Line[] = [];
  readonly exit: Promise<number | null>;
  readonly #schema: { columns: Column[]; primaryKey: string[] };
  readonly #lines: Line[] = [];
  #wake: (() => void) | undefined;
  #isEnded = false;

  constructor(
    child: ChildProcessByStdio<Writable, Readable, Readable>,
    schema: { columns: Column[]; primaryKey: string[] },
  ) {
    this.child = child;
    this.#schema = schema;
    child.stdin.on('error', () => undefined);
    createInterface(child.stdout).on('line', (line) => {
      this.#lines.push(JSON.parse(line));
      this.#wake?.();
    });
    createInterface(child.stderr).on('line', (line) => this.errors.push(JSON.parse(line)));
    this.exit = new Promise((resolve) => {
      child.on('close', (code) => {
        this.#isEnded = true;
        this.#wake?.();
        resolve(code);
      });
    });
  }

  send(...messages: object[]): this {
    for (const message of messages) this.child.stdin.write(`${JSON.stringify(message)}\n`);
    return this;
  }

  /** The first lines of a stream: what it resumes from, and its schema. */
  begin(state: unknown): this {
    return this.send(
      { type: 'STATE', stream: 's', state, resumed: true },
      { type: 'STATUS', stream: 's', status: 'STARTED' },
      { type: 'SCHEMA', stream: 's', version: 1, ...this.#schema },
    );
  }

  /** Rows from..to of a chunk, with its begin but not its end; without a chunk, loose rows. */
  rows([from, to]: [number, number], chunk?: string, attempt = 1): this {
    const place = chunk === undefined ? {} : { chunk, attempt };
    if (chunk !== undefined) this.send({ type: 'CHUNK', stream: 's', ...place, event: 'begin' });
    for (let id = from; id <= to; id++)
      this.send({ type: 'RECORD', stream: 's', ...place, data: { id, name: `n${id}` } });
    return this;
  }

  /** Rows of a chunk as RECORD data, with the chunk's begin but not its end. */
  records(chunk: string, rows: readonly Record<string, unknown>[]): this {
    this.send({ type: 'CHUNK', stream: 's', chunk, attempt: 1, event: 'begin' });
    return this.send(...rows.map((data) => ({ type: 'RECORD', stream: 's', chunk, attempt: 1, data })));
  }

  /** A further version of the schema. */
  schema(version: number, columns: Column[]): this {
    return this.send({ type: 'SCHEMA', stream: 's', version, columns, primaryKey: this.#schema.primaryKey });
  }

  /** A batch of changes: one Arrow IPC stream. */
  batch(rows: number, body: readonly Uint8Array[], schema = 1): this {
    const bytes = body.reduce((sum, { length }) => sum + length, 0);
    this.send({ type: 'BATCH', stream: 's', kind: 'changes', schema, rows, bytes });
    for (const piece of body) this.child.stdin.write(piece);
    return this;
  }

  end(chunk: string, event: 'done' | 'discard' = 'done', attempt = 1): this {
    return this.send({ type: 'CHUNK', stream: 's', chunk, attempt, event });
  }

  state(state: unknown): this {
    return this.send({ type: 'STATE', stream: 's', state });
  }

  complete(): this {
    return this.send({ type: 'STATUS', stream: 's', status: 'COMPLETE' });
  }

  /** The end of the run; `finish` without it is a broken run. */
  endRun(): this {
    return this.send({ type: 'STATUS', status: 'COMPLETE' });
  }

  async finish(): Promise<number | null> {
    this.child.stdin.end();
    return this.exit;
  }

  /** Waits for a line that matches; every line is handed out once, earlier ones are passed over. */
  async line(matches: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      for (let line = this.#lines.shift(); line; line = this.#lines.shift()) if (matches(line)) return line;
      if (this.#isEnded) throw new Error(`write ended: ${JSON.stringify(this.errors)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  started(): Promise<Line> {
    return this.line(({ type, status }) => type === 'STATUS' && status === 'STARTED');
  }

  durable(state: unknown): Promise<Line> {
    return this.line((line) => line.type === 'STATE' && JSON.stringify(line['state']) === JSON.stringify(state));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
  }
}
