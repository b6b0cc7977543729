import {
  asConnectorError,
  ConnectorError,
  type Message,
  type Problem,
  type SelectedStream,
  type Selection,
} from '@fjord/core';
import {
  askCatalog,
  askCheck,
  type AskContext,
  askSpec,
  askStates,
  askTables,
  ConnectorFailed,
} from './ask-connector.ts';
import type { OperatorLine } from './connector-process.ts';
import { type Failure, toFailure } from './failure.ts';
import type { Pipeline } from './pipeline.ts';
import { type Connector, placesOf, resolveConnector } from './resolve-connector.ts';
import { RunDirectory } from './run-directory.ts';
import { findUnreadable, selectStreams, type UnreadableStream } from './select-streams.ts';
import { recallSelection } from './selection-cache.ts';

/** What a pipeline chooses: `file` tells both connectors of the `selected`. */
export type Selected = { selected: SelectedStream[]; unreadable: UnreadableStream[]; file: string };
export type SessionOptions = {
  signal?: AbortSignal;
  /** Variables that connectors get besides those of this process. */
  env?: Record<string, string>;
  onLine?(line: OperatorLine, connector: Connector): void;
};

/** A pipeline with its connectors found and their config files written: what every verb starts from. */
export class Session implements AsyncDisposable {
  readonly pipeline: Pipeline;
  readonly source: Connector;
  readonly destination: Connector;
  readonly context: AskContext;
  readonly folder: RunDirectory;
  readonly configs: { source: string; destination: string };

  private constructor(
    pipeline: Pipeline,
    parts: Pick<Session, 'source' | 'destination' | 'context' | 'folder' | 'configs'>,
  ) {
    this.pipeline = pipeline;
    this.source = parts.source;
    this.destination = parts.destination;
    this.context = parts.context;
    this.folder = parts.folder;
    this.configs = parts.configs;
  }

  /** Finds both connectors and writes their configs, references unresolved, into a private folder. */
  static async open(pipeline: Pipeline, options: SessionOptions = {}): Promise<Session> {
    const places = placesOf(pipeline.folder);
    const source = resolveConnector('source', pipeline.source.connector, places);
    const destination = resolveConnector('destination', pipeline.destination.connector, places);
    const folder = await RunDirectory.open();
    const configs = {
      source: await folder.write('source.json', pipeline.source.config ?? {}),
      destination: await folder.write('destination.json', pipeline.destination.config ?? {}),
    };
    const onLine = options.onLine ?? (() => undefined);
    const { signal, env } = options;
    const context = { folder: pipeline.folder, onLine, ...(signal && { signal }), ...(env && { env }) };
    return new Session(pipeline, { source, destination, context, folder, configs });
  }

  /** SPEC of both connectors. */
  specs(): Promise<[Message<'SPEC'>, Message<'SPEC'>]> {
    return Promise.all([askSpec(this.source, this.context), askSpec(this.destination, this.context)]);
  }

  /** What `check` of both connectors finds. One that cannot even begin (a wrong option) does not keep the other's problems from being found. */
  checks(): Promise<[Pick<Message<'CONNECTION_STATUS'>, 'problems'>, Pick<Message<'CONNECTION_STATUS'>, 'problems'>]> {
    const check = (connector: Connector, config: string) =>
      askCheck(connector, { config }, this.context).catch((thrown: unknown) => {
        const { code, message, help } = failureOfThrown(thrown);
        return { problems: [{ code, message, fix: help }] };
      });
    return Promise.all([check(this.source, this.configs.source), check(this.destination, this.configs.destination)]);
  }

  /** What `check` of the source finds about streams that follow the change log. */
  async checkChanges(streams: SelectedStream[]): Promise<Problem[]> {
    const selection: Selection = { pipeline: this.pipeline.id, streams };
    const file = await this.folder.write('followed.json', selection);
    return (await askCheck(this.source, { config: this.configs.source, streams: file }, this.context)).problems;
  }

  catalog(): Promise<Message<'CATALOG'>> {
    return askCatalog(this.source, this.configs.source, this.context);
  }

  /**
   * The pipeline's streams among those that there are, the file that tells both connectors of them, and those that cannot be read.
   * `permission_denied` if the pipeline names one of these outright, or chooses nothing else.
   */
  async select({ streams }: Message<'CATALOG'>): Promise<Selected> {
    const selected = selectStreams(streams, this.pipeline);
    const unreadable = findUnreadable(streams, this.pipeline);
    const refused = selected.length > 0 ? unreadable.filter(({ isNamed }) => isNamed) : unreadable;
    if (refused.length > 0) {
      throw new ConnectorError('permission_denied', refused.map(({ message }) => message).join('\n'), {
        help: refused.map(({ fix }) => fix).join('\n'),
      });
    }
    const selection: Selection = { pipeline: this.pipeline.id, streams: selected };
    return { selected, unreadable, file: await this.folder.write('streams.json', selection) };
  }

  /**
   * The streams for verbs that only look at tables: as the source tells of them, or, while it cannot be asked, as the last sync from this
   * folder knew them.
   */
  async selectTables(): Promise<Pick<Selected, 'selected' | 'file'>> {
    try {
      return await this.select(await this.catalog());
    } catch (thrown) {
      if (!(thrown instanceof ConnectorFailed) || this.context.signal?.aborted) throw thrown;
      const selection = await recallSelection(this.pipeline);
      if (!selection) throw thrown;
      const message = `The source cannot be asked (${thrown.failure.code}): these are the tables of the last sync.`;
      const line = { type: 'LOG', level: 'warn', message, at: new Date().toISOString() } as const;
      this.context.onLine(line, this.source);
      return { selected: selection.streams, file: await this.folder.write('streams.json', selection) };
    }
  }

  /** The destination's durable states. */
  states(streams: string): Promise<Message<'STATE'>[]> {
    return askStates(this.destination, { config: this.configs.destination, streams }, this.context);
  }

  /** What the destination says about the tables of the streams. */
  async tables(streams: string): Promise<Message<'TABLE'>[]> {
    const tables: Message<'TABLE'>[] = [];
    const args = ['--config', this.configs.destination, '--streams', streams];
    const take = (table: Message<'TABLE'>) => void tables.push(table);
    await askTables(this.destination, { verb: 'inspect', args, types: ['TABLE'] }, { ...this.context, take });
    return tables;
  }

  /** Asks the destination a SQL statement over the tables of the streams; `take` gets RESULT and then ROWS, each when it is done with the one before. */
  async query(
    { sql, streams, memoryMB }: { sql: string; streams: string; memoryMB: number },
    take: (message: Message<'RESULT' | 'ROWS'>) => Promise<void>,
  ): Promise<void> {
    // A file: a command line can be read by everybody on the machine.
    const file = await this.folder.writeText('query.sql', sql);
    const args = [
      '--config',
      this.configs.destination,
      '--streams',
      streams,
      '--sql',
      file,
      '--memory',
      String(memoryMB),
    ];
    await askTables(this.destination, { verb: 'query', args, types: ['RESULT', 'ROWS'] }, { ...this.context, take });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

/** Whatever was thrown, as the failure to show. */
export function failureOfThrown(thrown: unknown): Failure {
  return thrown instanceof ConnectorFailed ? thrown.failure : toFailure(asConnectorError(thrown), 'engine');
}
