import { Worker } from 'node:worker_threads';
import { type FileIOProperties, IcebergError, type IcebergErrorCode, type NestedField } from '@fjord/iceberg';
import { ThreadCause } from '../error-causes.ts';
import { type ParquetSource, SourceRows } from './parquet-source.ts';
import type { SourceAnswer, SourceCall, SourceFile, SourceValue } from './source-messages.ts';

type Call = SourceCall extends infer Each ? (Each extends SourceCall ? Omit<Each, 'call'> : never) : never;

const SCRIPT = new URL(import.meta.url.endsWith('.ts') ? './source-worker.ts' : './source-worker.js', import.meta.url);

/** The thread that decodes Parquet files, seen from the main thread: numbered calls, and what becomes of them when it dies. */
export class DecoderThread {
  readonly #worker = new Worker(SCRIPT);
  readonly #calls = new Map<number, PromiseWithResolvers<SourceValue>>();
  #lastNumber = 0;
  #sourceCount = 0;
  #death: Error | undefined;

  constructor() {
    this.#worker.on('message', (answer: SourceAnswer) => this.#receive(answer));
    this.#worker.on('error', (cause) => this.#die(new Error('The thread that decodes Parquet died.', { cause })));
    this.#worker.on('exit', (code) => this.#die(new Error(`The thread that decodes Parquet ended with code ${code}.`)));
    // Only calls keep the process alive: an idle thread must not.
    this.#worker.unref();
  }

  get isDead(): boolean {
    return this.#death !== undefined;
  }

  /** How many files are open in it, or being opened. */
  get sourceCount(): number {
    return this.#sourceCount;
  }

  async open({ io, ...file }: SourceFile & { io: FileIOProperties }): Promise<ParquetSource> {
    const source = ++this.#lastNumber;
    this.#sourceCount += 1;
    const { rowGroups, fieldIds } = await this.#open(file, { type: 'open', source, io, ...file });
    return {
      rowCount: Number(file.recordCount),
      rowGroups,
      fieldIds: new Set(fieldIds),
      read: (fields, rowGroup) => this.#read(file, { source, fields, rowGroup }),
      [Symbol.asyncDispose]: async () => {
        this.#sourceCount -= 1;
        if (!this.isDead) await this.#call({ type: 'close', source });
      },
    };
  }

  async #open(file: SourceFile, call: Call): Promise<Extract<SourceValue, { type: 'opened' }>> {
    try {
      const opened = await this.#decode(file, call);
      if (opened.type === 'opened') return opened;
      throw new Error('a Parquet source was not opened');
    } catch (error) {
      this.#sourceCount -= 1;
      throw error;
    }
  }

  async *#read(
    file: SourceFile,
    wanted: { source: number; fields: readonly NestedField[]; rowGroup: number | undefined },
  ): AsyncGenerator<SourceRows> {
    const read = ++this.#lastNumber;
    const next = () => this.#decode(file, { type: 'next', read, ...wanted });
    let isDone = false;
    try {
      // One batch is decoded while another is used.
      for (let coming = next(); ;) {
        const value = await coming;
        if (value.type !== 'rows') {
          isDone = true;
          return;
        }
        coming = next();
        coming.catch(() => undefined);
        yield new SourceRows(value);
      }
    } finally {
      if (!isDone && !this.isDead) await this.#call({ type: 'end', read });
    }
  }

  /** A thread that ends meanwhile had a broken file. */
  async #decode(file: SourceFile, call: Call): Promise<SourceValue> {
    try {
      return await this.#call(call);
    } catch (cause) {
      if (!this.isDead) throw cause;
      throw new IcebergError(
        'storage_failed',
        `File ${file.location} cannot be decoded: it, or another one read at the same time, is broken.`,
        { cause },
      );
    }
  }

  async #call(call: Call): Promise<SourceValue> {
    if (this.#death) throw this.#death;
    const number = ++this.#lastNumber;
    const result = Promise.withResolvers<SourceValue>();
    this.#calls.set(number, result);
    this.#worker.ref();
    this.#worker.postMessage({ ...call, call: number });
    return result.promise;
  }

  #receive(answer: SourceAnswer): void {
    const call = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    if (this.#calls.size === 0) this.#worker.unref();
    if ('value' in answer) return call?.resolve(answer.value);
    const { error, code, causes } = answer;
    const cause = new ThreadCause(error, causes);
    call?.reject(code === undefined ? error : new IcebergError(code as IcebergErrorCode, error.message, { cause }));
  }

  #die(death: Error): void {
    this.#death ??= death;
    for (const call of this.#calls.values()) call.reject(this.#death);
    this.#calls.clear();
  }
}
