import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** The states a run resumes from: per stream id, and the one shared by all. */
export type States = { streams: Record<string, unknown>; shared?: unknown };

/** Saved not more often than this: the file is a cache, the truth is in the tables. */
const SAVE_INTERVAL_MS = 1_000;

/** Keeps the durable states of a run, and a copy of them in a file that is always whole: written aside, synced, renamed. */
export class StateCache implements AsyncDisposable {
  readonly #file: string;
  readonly #streams = new Map<string, unknown>();
  #shared: { value: unknown } | undefined;
  #saving: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** All states so far. */
  get states(): States {
    return { streams: Object.fromEntries(this.#streams), ...(this.#shared && { shared: this.#shared.value }) };
  }

  /** Takes the newest durable state of a stream (or the shared one) and saves all of them soon. */
  set(stream: string | undefined, state: unknown): void {
    if (stream === undefined) this.#shared = { value: state };
    else this.#streams.set(stream, state);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // A cache that cannot be written (read-only or full disk) must not stop a run; the last save reports it.
      this.save().catch(() => undefined);
    }, SAVE_INTERVAL_MS).unref();
  }

  /** Writes the file now; resolves when it is there. Rejects if the folder cannot be written. */
  async save(): Promise<void> {
    await this.#saving?.catch(() => undefined);
    this.#saving = replaceFile(this.#file, `${JSON.stringify(this.states, null, 2)}\n`);
    await this.#saving;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#saving?.catch(() => undefined);
  }
}

/** Replaces a file (0600) such that readers, and a crash at any moment, see the old or the new text and nothing between. */
export async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}.draft`;
  try {
    await using handle = await open(draft, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await rename(draft, file);
}
