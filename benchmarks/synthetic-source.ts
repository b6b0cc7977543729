import type { Column, Stream } from '@fjord/core';
import { type ArrowColumn, BatchBuilder } from '@fjord/core/arrow';
import { run } from '@fjord/core/runtime';
import {
  type Database,
  defineDatabaseSource,
  type EncodedBatch,
  type ReadChunkRequest,
  type UnitMark,
} from '@fjord/replication';
import { Type } from '@sinclair/typebox';

const UNIT_ROWS = 200_000;
const BATCH_ROWS = 20_000;

const columns: Column[] = [
  ...['a', 'b', 'c', 'd'].map((name): Column => ({ name, type: 'double', nullable: false })),
  ...['e', 'f', 'g', 'h'].map((name): Column => ({ name, type: 'long', nullable: false })),
];

const config = Type.Object({
  rows: Type.Integer({ title: 'Rows', description: 'How many rows the stream has.', minimum: 1 }),
  work: Type.Integer({
    title: 'Work',
    description: 'How many times each value is hashed: stands for the decoding of a real database.',
    default: 500,
    minimum: 1,
  }),
});

/** A database without a database: its chunks are CPU work alone, so that only the cores limit the source's worker threads. */
const source = defineDatabaseSource({
  name: 'synthetic',
  version: '0.0.0',
  module: import.meta.url,
  config,
  open: ({ rows, work }) => Promise.resolve(new SyntheticDatabase(rows, work)),
});
export default source;

class SyntheticDatabase implements Database {
  readonly #rows: number;
  readonly #work: number;

  constructor(rows: number, work: number) {
    this.#rows = rows;
    this.#work = work;
  }

  findProblems() {
    return Promise.resolve([]);
  }

  discover(): Promise<Stream[]> {
    const stream = { stream: 'public.synthetic', namespace: 'public', name: 'synthetic', columns, primaryKey: [] };
    return Promise.resolve([{ ...stream, cursorCandidates: [], syncModes: ['full'], estimatedRows: this.#rows }]);
  }

  planChunks() {
    const units = Math.ceil(this.#rows / UNIT_ROWS);
    return Promise.resolve({ identity: `${this.#rows}`, units, isWhole: false, layout: null });
  }

  async *readChunk({ units, signal }: ReadChunkRequest): AsyncGenerator<EncodedBatch | UnitMark> {
    for (let unit = units[0]; unit < units[1]; unit++) {
      yield* this.#readUnit(unit, signal);
      yield { reached: unit + 1 };
    }
  }

  *#readUnit(unit: number, signal: AbortSignal): Generator<EncodedBatch> {
    const builder = new BatchBuilder(columns, { capacityRows: BATCH_ROWS });
    const end = Math.min((unit + 1) * UNIT_ROWS, this.#rows);
    for (let first = unit * UNIT_ROWS; first < end; first += BATCH_ROWS) {
      signal.throwIfAborted();
      builder.rows = Math.min(BATCH_ROWS, end - first);
      builder.columns.forEach((column, index) => this.#fill(column, first + index, builder.rows));
      yield { ...builder.finish(), rejected: {} };
    }
  }

  [Symbol.asyncDispose]() {
    return Promise.resolve();
  }

  #fill(column: ArrowColumn, seed: number, rows: number): void {
    if (column.kind !== 'fixed') throw new Error('all columns of this source have a fixed width');
    for (let row = 0; row < rows; row++) {
      let hash = seed + row;
      for (let round = 0; round < this.#work; round++) hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
      column.words[2 * row] = hash;
      // A high word of 0: small whole numbers, and doubles that are no NaN.
      column.words[2 * row + 1] = 0;
      column.setValid(row);
    }
  }
}

if (import.meta.main) await run(source);
