import type { Static, TSchema } from './schema.ts';
import type { SelectedStream, Selection, WriteMode } from './protocol/catalog.ts';
import type { DestinationMessage, Message, Problem } from './protocol/messages.ts';
import type { RunContext } from './run-context.ts';
import type { RemoveRequest, VerifyMessage, VerifyRequest } from './source.ts';

/** What `write` is asked to do. */
export type WriteRequest<Config> = {
  config: Config;
  pipeline: string;
  streams: SelectedStream[];
  /** Upper bound for the bytes of rows held in this process. */
  memoryBytes: number;
  /** The run goes on with the change log until it is told to stop. */
  follow: boolean;
  /** Print the durable states and end: nothing is read from stdin. */
  printState: boolean;
};

/** What `maintain` is asked to do. */
export type MaintainRequest<Config> = {
  config: Config;
  pipeline: string;
  streams: SelectedStream[];
  /** Upper bound for the bytes of rows held in this process. */
  memoryBytes: number;
  /** Only say what would be done. */
  isDryRun: boolean;
};

/**
 * An open destination. The runtime first sends `states()` to stdout, then hands over each message in order, awaiting each call
 * (that is the back-pressure), and last `finish`: `complete` only if the run's own COMPLETE came; else rows after
 * the last STATE are discarded. It gives the ids of streams that the destination had to give up.
 */
export interface DestinationWriter extends AsyncDisposable {
  states(): Promise<Message<'STATE'>[]>;
  write(message: DestinationMessage): Promise<void>;
  finish(outcome: 'complete' | 'broken'): Promise<{ failed: string[] }>;
}

/** What `inspect` and `query` are asked about: the tables of these streams. */
export type LookRequest<Config> = Pick<WriteRequest<Config>, 'config' | 'pipeline' | 'streams' | 'memoryBytes'>;

/** A destination connector. An optional verb that is absent is one that it has not. `durable` is called with a state when, and only when, all that it covers is durable. */
export type DestinationDefinition<Config extends TSchema = TSchema> = {
  kind: 'destination';
  name: string;
  version: string;
  config: Config;
  formats: ('arrow' | 'jsonl')[];
  writeModes: WriteMode[];
  check(config: Static<Config>, context: RunContext, selection?: Selection): Promise<Problem[]>;
  open(
    request: WriteRequest<Static<Config>>,
    context: RunContext & {
      durable(state: Message<'STATE'>): void;
      /** Ends the run with an error that came up outside of any call (a timer's commit). */
      fail(error: unknown): void;
    },
  ): Promise<DestinationWriter>;
  /** Puts tables in order, one MAINTENANCE each; absent where there is nothing to do. A stream's own fault is reported, and the next one follows. */
  maintain?(request: MaintainRequest<Static<Config>>, context: RunContext): AsyncIterable<Message<'MAINTENANCE'>>;
  /** What there is to say about the table of each stream, in their order. */
  inspect?(request: LookRequest<Static<Config>>, context: RunContext): AsyncIterable<Message<'TABLE'>>;
  /** Removes the states and the marker of a pipeline, one REMOVED each; its tables stay. */
  remove?(request: RemoveRequest<Static<Config>>, context: RunContext): AsyncIterable<Message<'REMOVED'>>;
  /** Sums the rows of the streams' tables as a reader sees them now, without what only the destination adds. Faults as in a source's. */
  verify?(request: VerifyRequest<Static<Config>>, context: RunContext): AsyncIterable<VerifyMessage>;
  /** The result of a SQL statement over the tables of the streams: RESULT, then its rows in pages. */
  query?(
    request: LookRequest<Static<Config>> & { sql: string },
    context: RunContext,
  ): AsyncIterable<Message<'RESULT' | 'ROWS'>>;
};

/** Declares a destination; `run(definition)` makes a command of it. */
export function defineDestination<Config extends TSchema>(
  definition: Omit<DestinationDefinition<Config>, 'kind'>,
): DestinationDefinition<Config> {
  return { kind: 'destination', ...definition };
}
