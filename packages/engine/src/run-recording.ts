import type { OperatorLine } from './connector-process.ts';
import type { Failure } from './failure.ts';
import { Journal } from './journal.ts';
import type { Pipeline } from './pipeline.ts';
import type { StreamProgress } from './progress.ts';

/** Whoever asks for the status of a sync that goes on sees figures not older than this. */
const PUT_INTERVAL_MS = 5_000;

/** Records one run in the pipeline's journal. What cannot be recorded (a full disk) is left out: no run fails for it. */
export class RunRecording implements Disposable {
  readonly #journal: Journal | undefined;
  readonly #now: () => number;
  #run = 0;
  #putAt = 0;

  constructor(pipeline: Pipeline, mode: 'once' | 'follow', now: () => number = Date.now) {
    this.#now = now;
    this.#journal = Journal.open(pipeline);
    this.#try((journal) => (this.#run = journal.begin({ mode, pid: process.pid }, new Date(now()))));
  }

  line(line: OperatorLine, from: string): void {
    if (line.type !== 'PROGRESS')
      this.#try((journal) => journal.log(this.#run, line, { from, at: new Date(this.#now()) }));
  }

  progress(streams: () => StreamProgress[]): void {
    if (this.#now() - this.#putAt < PUT_INTERVAL_MS) return;
    this.#putAt = this.#now();
    this.#try((journal) => journal.put(this.#run, streams()));
  }

  end({ streams, ...end }: { streams: StreamProgress[]; exitCode: number; cause: Failure | undefined }): void {
    const at = new Date(this.#now());
    this.#try((journal) => {
      if (end.cause?.from === 'engine') journal.log(this.#run, { type: 'ERROR', ...end.cause }, { from: 'engine', at });
      journal.put(this.#run, streams);
      journal.end(this.#run, { ...end, at });
    });
  }

  [Symbol.dispose](): void {
    this.#journal?.[Symbol.dispose]();
  }

  #try(record: (journal: Journal) => void): void {
    if (!this.#journal) return;
    try {
      record(this.#journal);
    } catch {
      // The journal is for people; the run goes on.
    }
  }
}
