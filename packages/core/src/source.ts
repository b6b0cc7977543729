import type { Static, TSchema } from './schema.ts';
import type { SelectedStream, Selection, Stream } from './protocol/catalog.ts';
import type { Message, Problem, SourceMessage } from './protocol/messages.ts';
import type { Repair, Verification } from './protocol/verification.ts';
import type { RunContext } from './run-context.ts';

/** What `read` is asked to do. `states` holds, per stream id, the state to resume from; `undefined` in it means from the start. */
export type ReadRequest<Config, State> = {
  config: Config;
  pipeline: string;
  streams: SelectedStream[];
  states: ReadonlyMap<string, State>;
  sharedState: unknown;
  /** The last durable states, as they become durable. Ends when stdin does. */
  acknowledgements: AsyncIterable<Message<'ACK'>>;
  /** Upper bound for the bytes of rows in flight in this process. */
  memoryBytes: number;
  /** Go on with the change log until the signal, instead of ending at its head. */
  follow: boolean;
  /** Streams of which all rows are to be read again, to take the place of those that are there. */
  backfill: string[];
  /** Follow the change log up to here and not to its head: a position that `verify` gave. */
  until?: unknown;
  /** By stream the keys of rows to send again, as they are at the source. */
  repair?: Repair['streams'];
};

/** What `verify` is asked of the rows of these streams, by stream. */
export type VerifyRequest<Config> = RemoveRequest<Config> & {
  sums: Verification['streams'];
  /** Upper bound for the bytes of rows held in this process. */
  memoryBytes: number;
};

/** What `verify` tells: of each stream SUMS or LISTED in pages, with an empty page if there are no rows. */
export type VerifyMessage = Message<'POSITION' | 'SUMS' | 'LISTED'>;

/** What `remove` is asked to do: forget a pipeline, of which these are the streams. */
export type RemoveRequest<Config> = { config: Config; pipeline: string; streams: SelectedStream[] };

/** A source connector. `check` returns all problems at once; `read` yields messages and may end early by throwing a ConnectorError. */
export type SourceDefinition<Config extends TSchema = TSchema, State extends TSchema = TSchema> = {
  kind: 'source';
  name: string;
  version: string;
  config: Config;
  state?: State;
  syncModes: Stream['syncModes'];
  /** Whether `read` does what the `shape` of a stream says; without it the engine refuses filters, transforms and renames. */
  shapes?: boolean;
  /** With a selection also what keeps its streams from being read as it says. */
  check(config: Static<Config>, context: RunContext, selection?: Selection): Promise<Problem[]>;
  discover(config: Static<Config>, context: RunContext): Promise<Stream[]>;
  read(request: ReadRequest<Static<Config>, Static<State>>, context: RunContext): AsyncIterable<SourceMessage>;
  /**
   * Sums the rows of streams as they would be copied, all as of one moment; before them its POSITION if a stream follows the change log. A
   * stream's own fault is reported, and the next one follows.
   */
  verify?(request: VerifyRequest<Static<Config>>, context: RunContext): AsyncIterable<VerifyMessage>;
  /** Whether `read` takes `until` and `repair`. */
  repairs?: boolean;
  /** Removes what is kept for a pipeline in the source (slots, publications), one REMOVED each; absent where nothing ever is. */
  remove?(request: RemoveRequest<Static<Config>>, context: RunContext): AsyncIterable<Message<'REMOVED'>>;
};

/** Declares a source; `run(definition)` makes a command of it. */
export function defineSource<Config extends TSchema, State extends TSchema>(
  definition: Omit<SourceDefinition<Config, State>, 'kind'>,
): SourceDefinition<Config, State> {
  return { kind: 'source', ...definition };
}
