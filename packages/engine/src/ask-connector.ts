import { ConnectorError, type ErrorCode, ERROR_CODES, type Message } from '@fjord/core';
import { ConnectorProcess, type OperatorLine } from './connector-process.ts';
import { decodeMessage } from './decode-message.ts';
import { type Failure, findCause } from './failure.ts';
import type { Connector } from './resolve-connector.ts';

/** What every question to a connector needs besides itself. */
export type AskContext = {
  folder: string;
  env?: Record<string, string>;
  signal?: AbortSignal;
  onLine(line: OperatorLine, connector: Connector): void;
};

/** A process that has answered has nothing left to do. */
const END_AFTER_ANSWER_MS = 2_000;
/** `spec` reads nothing and connects to nothing: a program that takes longer is no connector. */
const SPEC_DEADLINE_MS = 30_000;

/** Thrown when a connector ended without its answer: carries the failure that it reported. */
export class ConnectorFailed extends Error {
  override readonly name = 'ConnectorFailed';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** A connector's SPEC. */
export function askSpec(connector: Connector, context: AskContext): Promise<Message<'SPEC'>> {
  const deadline = AbortSignal.timeout(SPEC_DEADLINE_MS);
  const signal = context.signal ? AbortSignal.any([context.signal, deadline]) : deadline;
  return ask(connector, { args: ['spec'], type: 'SPEC' }, { ...context, signal });
}

/** What `check` finds with the config in a file, and about the streams in another if they are given. */
export function askCheck(connector: Connector, files: { config: string; streams?: string }, context: AskContext) {
  const { config, streams } = files;
  const args = ['check', '--config', config, ...(streams === undefined ? [] : ['--streams', streams])];
  return ask(connector, { args, type: 'CONNECTION_STATUS' }, context);
}

/** The streams of a source. */
export function askCatalog(connector: Connector, configFile: string, context: AskContext) {
  return ask(connector, { args: ['discover', '--config', configFile], type: 'CATALOG' }, context);
}

/** The durable states of a destination, in its order. */
export async function askStates(
  connector: Connector,
  files: { config: string; streams: string },
  context: AskContext,
): Promise<Message<'STATE'>[]> {
  const states: Message<'STATE'>[] = [];
  const args = ['write', '--config', files.config, '--streams', files.streams, '--print-state'];
  await askAll(connector, { args, types: ['STATE'] }, { ...context, take: (state) => void states.push(state) });
  return states;
}

/** Lets a destination put its tables in order; each answer is handed to `onMessage` as it comes. Failures of single tables throw at the end. */
export async function askMaintenance(
  connector: Connector,
  { files, isDryRun, onMessage }: MaintenanceQuestion,
  context: AskContext,
): Promise<void> {
  const args = ['maintain', '--config', files.config, '--streams', files.streams, ...(isDryRun ? ['--dry-run'] : [])];
  await askAll(connector, { args, types: ['MAINTENANCE'] }, { ...context, take: onMessage });
}

/** What `askMaintenance` asks. */
export type MaintenanceQuestion = {
  files: { config: string; streams: string };
  isDryRun: boolean;
  onMessage(message: Message<'MAINTENANCE'>): void;
};

/** A verb that reads tables, and its arguments. */
export type TableQuestion = { verb: 'inspect' | 'query' | 'verify' | 'remove'; args: readonly string[] };

/** Asks a destination about tables, and hands over each message of the given types, the next one when it is dealt with. Resolves when all is told. */
export async function askTables<Name extends 'TABLE' | 'RESULT' | 'ROWS' | 'REMOVED' | 'POSITION' | 'SUMS' | 'LISTED'>(
  connector: Connector,
  { verb, args, types }: TableQuestion & { types: readonly Name[] },
  context: Taking<Name>,
): Promise<void> {
  const { isComplete } = await askAll(connector, { args: [verb, ...args], types }, context);
  if (!isComplete) throw new ConnectorFailed(noAnswer(connector, verb, 'STATUS'));
}

type Taking<Name extends Message['type']> = AskContext & { take(message: Message<Name>): void | Promise<void> };

/**
 * Starts a connector and hands over each message of the given types, the next one when it is dealt with, until the process has ended. Throws
 * why it was stopped, or what it reported as its failure; says whether it told that this was all.
 */
async function askAll<Name extends Message['type']>(
  connector: Connector,
  { args, types }: { args: readonly string[]; types: readonly Name[] },
  context: Taking<Name>,
): Promise<{ isComplete: boolean }> {
  let isComplete = false;
  const child = new ConnectorProcess({
    ...context,
    connector,
    args,
    async onMessage(line) {
      for (const type of types) {
        const message = decodeMessage(line, type, connector.name);
        if (message) return context.take(message);
      }
      isComplete ||= decodeMessage(line, 'STATUS', connector.name)?.status === 'COMPLETE';
    },
  });
  await using _ = child;
  await untilEndOrAbort(child, context.signal);
  context.signal?.throwIfAborted();
  const failure = findCause(child.failures);
  if (failure) throw new ConnectorFailed(failure);
  return { isComplete };
}

type Question<Name> = { args: readonly string[]; type: Name };

/** Starts a connector and resolves with the first message of the given type, whether or not the process ends by itself. */
async function ask<Name extends Message['type']>(
  connector: Connector,
  { args, type }: Question<Name>,
  context: AskContext,
): Promise<Message<Name>> {
  const answer = Promise.withResolvers<Message<Name>>();
  const child = new ConnectorProcess({
    ...context,
    connector,
    args,
    onMessage(line) {
      const message = decodeMessage(line, type, `the ${connector.role} ${connector.name}`);
      if (message) answer.resolve(message);
    },
  });
  const message = await Promise.race([answer.promise, untilEndOrAbort(child, context.signal)]);
  if (message) {
    void child.endWithin(END_AFTER_ANSWER_MS);
    return message;
  }
  throw new ConnectorFailed(findCause(child.failures) ?? noAnswer(connector, args[0] ?? '', type));
}

async function untilEndOrAbort(child: ConnectorProcess, signal: AbortSignal | undefined): Promise<undefined> {
  const onAbort = () => void child.stop();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  await child.ended;
  signal?.removeEventListener('abort', onAbort);
  return undefined;
}

function noAnswer({ role, name }: Connector, verb: string, type: string): Failure {
  const code: ErrorCode = 'protocol_violation';
  return {
    from: role,
    code,
    message: `The ${role} ${name} ended its ${verb} without a ${type} message.`,
    help: ERROR_CODES[code].help,
    retryable: false,
    exit: ERROR_CODES[code].exit,
  };
}

/** Any error of the engine as a failure. */
export function failureOf(error: unknown, toFailure: (error: unknown) => Failure): Failure {
  return error instanceof ConnectorFailed ? error.failure : toFailure(error);
}

/** What both connectors speak: the wire's format. `protocol_mismatch` if their protocol versions do not overlap. */
export function agreeOnFormat(source: Message<'SPEC'>, destination: Message<'SPEC'>): 'arrow' | 'jsonl' {
  for (const [spec, kind] of [
    [source, 'source'],
    [destination, 'destination'],
  ] as const) {
    if (spec.kind !== kind)
      throw new ConnectorError('config_invalid', `${spec.name} is a ${spec.kind}, not a ${kind}.`);
  }
  const newestCommon = Math.min(source.protocol.max, destination.protocol.max);
  if (newestCommon < Math.max(source.protocol.min, destination.protocol.min)) {
    const range = ({ name, protocol }: Message<'SPEC'>) => `${name} speaks ${protocol.min} to ${protocol.max}`;
    throw new ConnectorError(
      'protocol_mismatch',
      `No common protocol version: ${range(source)}, ${range(destination)}.`,
    );
  }
  const common = source.capabilities.formats.filter((format) => destination.capabilities.formats.includes(format));
  if (common.includes('arrow')) return 'arrow';
  if (common.includes('jsonl')) return 'jsonl';
  throw new ConnectorError('protocol_mismatch', `${source.name} and ${destination.name} have no format in common.`);
}
