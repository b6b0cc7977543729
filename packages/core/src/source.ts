import type { Static, TSchema } from './schema.ts';
import type { SelectedStream, Selection, Stream } from './protocol/catalog.ts';
import type { Message, Problem, SourceMessage } from './protocol/messages.ts';
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
};

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
  /** Removes what is kept for a pipeline in the source (slots, publications), one REMOVED each; absent where nothing ever is. */
  remove?(request: RemoveRequest<Static<Config>>, context: RunContext): AsyncIterable<Message<'REMOVED'>>;
};

/** Declares a source; `run(definition)` makes a command of it. */
export function defineSource<Config extends TSchema, State extends TSchema>(
  definition: Omit<SourceDefinition<Config, State>, 'kind'>,
): SourceDefinition<Config, State> {
  return { kind: 'source', ...definition };
}
