import {
  ConnectorError,
  type DestinationMessage,
  type DestinationWriter,
  type Message,
  type RunContext,
} from '@fjord/core';
import type { Catalog } from '@fjord/iceberg';
import { toConnectorError } from './iceberg-errors.ts';
import { type Joint, openJoint } from './joint-commit.ts';
import { Limit } from './limit.ts';
import type { InTurn } from './maintenance/compact-table.ts';
import type { Upkeep } from './maintenance/upkeep.ts';
import type { Marker } from './marker.ts';
import { stateMessage } from './pipeline-state.ts';
import type { JointWork, StreamWriter } from './stream-writer.ts';

/** Commits under way at once: enough to hide the latency of storage, few enough not to crowd the catalog. */
const PARALLEL_COMMITS = 4;

/** Transactions end soon after their first stream's state: then a commit waits no longer for the others'. */
const MAX_TORN_MS = 5000;

type WriterParts = {
  streams: Map<string, StreamWriter>;
  marker: Marker;
  initialStates: Message<'STATE'>[];
  commitIntervalMs: number;
  /** A catalog that commits several tables at once, where streams are to be committed so. */
  together?: Catalog | undefined;
  /** What keeps tables in order meanwhile; absent in a run that ends by itself. */
  upkeep?: Upkeep | undefined;
  close(): Promise<void>;
};
type WriterContext = RunContext & { durable(state: Message<'STATE'>): void; fail(error: unknown): void };

/** The open destination: routes messages to their streams and decides when each commits (rule 15). */
export class IcebergWriter implements DestinationWriter {
  readonly #parts: WriterParts;
  readonly #context: WriterContext;
  readonly #commits = new Limit(PARALLEL_COMMITS);
  /** The last commit of each stream: commits of one stream follow each other. */
  readonly #chains = new Map<StreamWriter, Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #shared: { state: unknown } | undefined;
  #sharedChain: Promise<void> = Promise.resolve();
  #lastCommitAt = Date.now();
  /** Commits that are waited for. */
  #underWay = 0;
  /** Whether some streams have said their state of a transaction, and others may not have. */
  #isTorn = false;
  #hasShared = false;

  constructor(parts: WriterParts, context: WriterContext) {
    this.#parts = parts;
    this.#context = context;
    this.#timer = setInterval(() => this.#commitWhenDue(), Math.max(parts.commitIntervalMs, 100));
  }

  states(): Promise<Message<'STATE'>[]> {
    return Promise.resolve(this.#parts.initialStates);
  }

  async write(message: DestinationMessage): Promise<void> {
    try {
      await this.#route(message);
    } catch (thrown) {
      throw toConnectorError(thrown, message.stream);
    }
  }

  async #route(message: DestinationMessage): Promise<void> {
    if (message.stream === undefined) {
      if (message.type === 'STATE' && !message.resumed) this.#takeShared(message.state);
      return;
    }
    const stream = this.#parts.streams.get(message.stream);
    if (!stream) {
      throw new ConnectorError(
        'protocol_violation',
        `A ${message.type} came for stream ${message.stream}, which was not selected.`,
      );
    }
    await this.#deliver(stream, message);
  }

  /** A shared state follows those of the streams: here all transactions are whole. */
  #takeShared(state: unknown): void {
    this.#shared = { state };
    this.#hasShared = true;
    this.#isTorn = false;
    if (this.#parts.together) this.#commitWhenDue();
  }

  async finish(outcome: 'complete' | 'broken'): Promise<{ failed: string[] }> {
    clearInterval(this.#timer);
    await this.#parts.upkeep?.[Symbol.asyncDispose]();
    const streams = [...this.#parts.streams.values()];
    if (outcome === 'complete') await Promise.all(streams.map((stream) => stream.settle()));
    else await Promise.all(streams.map((stream) => stream.discardUncovered()));
    if (this.#parts.together) await Promise.allSettled(this.#chains.values());
    await this.#commitAll().catch((thrown: unknown) => {
      throw toConnectorError(thrown);
    });
    return { failed: streams.filter(({ failure }) => failure).map(({ stream }) => stream) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#parts.upkeep?.[Symbol.asyncDispose]();
    await Promise.allSettled(this.#chains.values());
    await Promise.allSettled([...this.#parts.streams.values()].map((stream) => stream[Symbol.asyncDispose]()));
    await this.#parts.close();
  }

  async #deliver(stream: StreamWriter, message: Exclude<DestinationMessage, { stream?: undefined }>): Promise<void> {
    switch (message.type) {
      case 'STATE':
        if (message.resumed) return stream.resume(message.state);
        this.#isTorn = this.#hasShared;
        await stream.takeState(message.state);
        return this.#commitWhenDue(stream);
      case 'SCHEMA':
        return this.#guard(stream, () => stream.setSchema(message));
      case 'BACKFILL':
        await this.#chains.get(stream);
        return stream.beginBackfill(message);
      case 'BATCH':
        return stream.write(message);
      case 'CHUNK':
        return stream.endChunk(message);
      case 'STATUS':
        if (message.status === 'STARTED') stream.start();
        if (message.status === 'COMPLETE') stream.complete();
        if (message.status === 'INCOMPLETE') await stream.discardUncovered();
        return;
      case 'HANDOVER':
      case 'TRUNCATE':
      case 'DROPPED':
        return stream.takeLogEvent(message);
      case 'RECORD':
        throw new Error('the runtime gathers records into batches');
      default:
        return message satisfies never;
    }
  }

  /** A column that does not fit concerns one stream: it is given up and the others go on. */
  async #guard(stream: StreamWriter, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      await stream.fail(this.#reportFault(stream, thrown));
    }
  }

  /** Reports a fault that is one stream's own; throws any other. */
  #reportFault({ stream }: StreamWriter, thrown: unknown): ConnectorError {
    const error = toConnectorError(thrown, stream);
    const { code, message, help } = error;
    if (code !== 'schema_incompatible' && code !== 'row_missing') throw error;
    this.#context.report(new ConnectorError(code, message, { cause: error, stream, help }));
    return error;
  }

  /** Commits one stream that is complete at once; all of them when the interval has passed. */
  #commitWhenDue(stream?: StreamWriter): void {
    if (stream?.pending === 'last') this.#commitStream(stream);
    const waitedMs = Date.now() - this.#lastCommitAt;
    if (waitedMs < this.#parts.commitIntervalMs) return;
    if (this.#parts.together && this.#mustWait(waitedMs)) return;
    this.#lastCommitAt = Date.now();
    this.#commitAll().catch((error: unknown) => this.#context.fail(toConnectorError(error)));
  }

  /** Streams that are committed together are so at the end of a transaction, and one time after the other. */
  #mustWait(waitedMs: number): boolean {
    return this.#underWay > 0 || (this.#isTorn && waitedMs < this.#parts.commitIntervalMs + MAX_TORN_MS);
  }

  /** Commits a stream in the background, after its earlier commits. */
  #commitStream(stream: StreamWriter, joint?: Joint): void {
    if (stream.pending === 'none') return;
    const earlier = this.#chains.get(stream) ?? Promise.resolve();
    this.#underWay += 1;
    earlier.catch(() => joint?.skip());
    const commit = earlier.then(async () => {
      const work = joint ? joint.run(stream) : this.#commits.run(() => stream.commit());
      const committed = await work.catch((thrown: unknown) => stream.giveUp(this.#reportFault(stream, thrown)));
      if (!committed) return;
      this.#context.durable(stateMessage(stream.stream, committed.state));
      const { changed: table } = committed;
      const inTurn: InTurn = (work) => this.#inTurn(stream, work);
      if (table) this.#parts.upkeep?.note({ selected: stream.selected, table, inTurn });
    });
    this.#chains.set(stream, commit);
    const ended = commit.finally(() => {
      this.#underWay -= 1;
    });
    ended.catch((error: unknown) => this.#context.fail(toConnectorError(error)));
  }

  /** Does other work with a stream's table between two of its commits. That it fails concerns only who asked for it. */
  #inTurn<Result>(stream: StreamWriter, work: () => Promise<Result>): Promise<Result> {
    const earlier = this.#chains.get(stream) ?? Promise.resolve();
    const done = earlier.then(work);
    const ended = earlier.then(() =>
      done.then(
        () => undefined,
        () => undefined,
      ),
    );
    ended.catch(() => undefined);
    this.#chains.set(stream, ended);
    return done;
  }

  /** Commits all streams and then the shared state, which covers what came before it and so must never be ahead of them. */
  #commitAll(): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    const { together, streams: writers } = this.#parts;
    const prepare: JointWork['prepare'] = (work) => this.#commits.run(work);
    const joint = together && this.#underWay === 0 ? openJoint(together, writers.values(), prepare) : undefined;
    for (const stream of writers.values()) this.#commitStream(stream, joint?.has(stream) ? joint : undefined);
    const streams = Promise.all(this.#chains.values());
    this.#sharedChain = Promise.all([this.#sharedChain, streams]).then(async () => {
      if (!shared) return;
      // What a stream holds back or was given up with must stay in the log: nothing tells the source that it may be let go.
      const all = [...this.#parts.streams.values()];
      if (all.some(({ failure }) => failure)) return;
      if (all.some(({ isHeld }) => isHeld)) {
        this.#shared ??= shared;
        return;
      }
      await this.#parts.marker.commit(shared.state);
      this.#context.durable(stateMessage(undefined, shared.state));
    });
    return this.#sharedChain;
  }
}
