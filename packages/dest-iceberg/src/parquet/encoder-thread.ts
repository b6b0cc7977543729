import { type Transferable, Worker } from 'node:worker_threads';
import { giveBackMemory } from '@fjord/core';
import { type DataFile, IcebergError } from '@fjord/iceberg';
import { ParquetError } from '@fjord/parquet';
import { ThreadCause } from '../error-causes.ts';
import type { WorkerAnswer, WorkerCall, WorkerStart } from './worker-messages.ts';

/** A call without the number that this side gives it. */
export type ThreadCall = WorkerCall extends infer Call ? (Call extends WorkerCall ? Omit<Call, 'call'> : never) : never;

/** One worker thread seen from the main thread: numbered calls, bytes in flight, and what remains to do when it dies. */
export class EncoderThread {
  readonly #worker: Worker;
  readonly #maxBytesInFlight: number;
  readonly #calls = new Map<number, PromiseWithResolvers<DataFile[]>>();
  readonly #locations = new Map<number, string[]>();
  #waiting: { bytes: number; wake: () => void }[] = [];
  #bytesInFlight = 0;
  #lastCall = 0;
  #heapBytes = 0;
  #death: Error | undefined;

  constructor(script: URL, start: WorkerStart, maxBytesInFlight: number) {
    this.#maxBytesInFlight = maxBytesInFlight;
    this.#worker = new Worker(script, { workerData: start });
    this.#worker.on('message', (answer: WorkerAnswer) => this.#receive(answer));
    this.#worker.on('error', (cause) => this.#die(new Error('A Parquet worker thread died.', { cause })));
    this.#worker.on('exit', (code) => this.#die(new Error(`A Parquet worker thread ended with code ${code}.`)));
    // Only calls keep the process alive: an idle thread must not.
    this.#worker.unref();
  }

  /** Bytes of the thread's WebAssembly heap when it last answered. */
  get heapBytes(): number {
    return this.#heapBytes;
  }

  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  get isDead(): boolean {
    return this.#death !== undefined;
  }

  /** Locations of the files that a writer has begun in this thread. */
  locationsOf(writer: number): readonly string[] {
    return this.#locations.get(writer) ?? [];
  }

  forget(writer: number): void {
    this.#locations.delete(writer);
  }

  /** Makes a call; the promise is kept with its result, or broken with its error or the thread's death. */
  async call(call: ThreadCall, transfer: readonly Transferable[] = []): Promise<DataFile[]> {
    if (this.#death) throw this.#death;
    const number = ++this.#lastCall;
    const result = Promise.withResolvers<DataFile[]>();
    this.#calls.set(number, result);
    this.#worker.ref();
    this.#worker.postMessage({ ...call, call: number }, transfer);
    return result.promise;
  }

  /** Waits until `bytes` more may be in flight, in the order of asking; more than the limit is let through alone. `release` gives them back. */
  async reserve(bytes: number): Promise<void> {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes)) {
      await new Promise<void>((wake) => this.#waiting.push({ bytes, wake }));
    } else this.#bytesInFlight += bytes;
    if (this.#death) throw this.#death;
  }

  release(bytes: number): void {
    this.#bytesInFlight -= bytes;
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#bytesInFlight += next.bytes;
      next.wake();
    }
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #hasRoom(bytes: number): boolean {
    return this.#bytesInFlight === 0 || this.#bytesInFlight + bytes <= this.#maxBytesInFlight;
  }

  #receive(answer: WorkerAnswer): void {
    if (answer.type === 'file') {
      this.#locations.set(answer.writer, [...this.locationsOf(answer.writer), answer.location]);
      return;
    }
    const call = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    if (this.#calls.size === 0) this.#worker.unref();
    if (answer.type === 'failed') return call?.reject(reviveError(answer));
    this.#heapBytes = answer.heapBytes;
    giveBackMemory(answer.memory);
    call?.resolve(answer.files);
  }

  #die(death: Error): void {
    this.#death ??= death;
    for (const call of this.#calls.values()) call.reject(this.#death);
    this.#calls.clear();
    for (const { wake } of this.#waiting) wake();
    this.#waiting = [];
  }
}

/** Errors lose their class on the way between threads. */
function reviveError({ error, fault, causes }: Extract<WorkerAnswer, { type: 'failed' }>): Error {
  if (!fault) return error;
  const cause = new ThreadCause(error, causes);
  return fault.from === 'iceberg'
    ? new IcebergError(fault.code, error.message, { cause })
    : new ParquetError(fault.code, error.message, { cause });
}
