import { createRedactor } from '../config/secrets.ts';
import type { DestinationDefinition } from '../destination.ts';
import { ERROR_CODES } from '../error-codes.ts';
import { asConnectorError, ConnectorError } from '../errors.ts';
import { type Message, PROTOCOL } from '../protocol/messages.ts';
import { WireWriter } from '../protocol/wire-writer.ts';
import type { RunContext } from '../run-context.ts';
import type { SourceDefinition } from '../source.ts';
import { openTrace, type ProcessTrace } from '../tracing/index.ts';
import { type Arguments, parseArguments } from './arguments.ts';
import { createOperatorLog } from './operator-log.ts';
import { guardStdout } from './stdout-guard.ts';
import { watchStopSignals } from './stop-signals.ts';

type Definition = SourceDefinition | DestinationDefinition;

/** Makes a command of a connector: runs the verb of the command line and ends the process with the exit code of docs/errors.md. */
export async function run(definition: Definition, argv: string[] = process.argv.slice(2)): Promise<never> {
  if (argv.includes('--version')) {
    process.stdout.write(`${definition.version}\n`);
    process.exit(0);
  }
  const redactor = createRedactor();
  const operator = createOperatorLog(redactor.redact);
  const { signal } = watchStopSignals();
  guardStdout(operator.log);
  const out = new WireWriter(1);
  let traced: ProcessTrace | undefined;
  try {
    const args = parseArguments(definition.kind, argv);
    traced = await openTrace(
      { service: `fjord-${definition.kind}-${definition.name}`, version: definition.version, name: args.verb },
      (message) => operator.log('warn', message),
    );
    const context = { ...operator, signal, ...(traced && { trace: traced.trace }) };
    await runVerb({ definition, args, out, hide: redactor.add }, context);
    await out.flush();
    await traced?.end();
    process.exit(0);
  } catch (thrown) {
    const error = isClosedPipe(thrown) ? readerGone(thrown) : asConnectorError(thrown);
    operator.report(error);
    await traced?.end(error);
    if (error.code === 'internal_error' && thrown instanceof Error) {
      operator.log('debug', 'where the bug was noticed', { stack: thrown.stack });
    }
    process.exit(ERROR_CODES[error.code].exit);
  }
}

type VerbRun = { definition: Definition; args: Arguments; out: WireWriter; hide(values: string[]): void };

async function runVerb(run: VerbRun, context: RunContext): Promise<void> {
  const { definition, args, out } = run;
  if (args.verb === 'spec') return out.write(specOf(definition));
  const files = await import('./input-files.ts');
  const config = files.loadConfig(args.config ?? '', definition.config, { hide: run.hide, log: context.log });
  if (args.verb === 'check') {
    const selection = args.streams === undefined ? undefined : files.loadSelection(args.streams);
    const problems = await definition.check(config, context, selection);
    return out.write({ type: 'CONNECTION_STATUS', ok: problems.length === 0, problems });
  }
  if (definition.kind === 'source' && args.verb === 'discover') {
    return out.write({ type: 'CATALOG', streams: await definition.discover(config, context) });
  }
  const selection = files.loadSelection(args.streams ?? '');
  if (args.verb === 'remove') {
    const { runRemove } = await import('./remove-verb.ts');
    return runRemove({ definition, config, selection, out }, context);
  }
  if (args.verb === 'verify') {
    if (definition.kind === 'source') files.resolveSalts(selection, run.hide);
    const { runVerify } = await import('./verify-verb.ts');
    return runVerify({ definition, config, selection, args, out }, context);
  }
  if (definition.kind === 'source') {
    files.resolveSalts(selection, run.hide);
    const { runRead } = await import('./read-verb.ts');
    return runRead({ definition, config, selection, states: files.loadStates(args.state), args, out }, context);
  }
  if (args.verb === 'maintain') {
    const { runMaintain } = await import('./maintain-verb.ts');
    return runMaintain({ definition, config, selection, args, out }, context);
  }
  if (args.verb === 'inspect' || args.verb === 'query') {
    const { runLook } = await import('./look-verb.ts');
    return runLook({ definition, config, selection, args, out }, context);
  }
  const { runWrite } = await import('./write-verb.ts');
  return runWrite({ definition, config, selection, args, out }, context);
}

/** The SPEC message of a connector. */
export function specOf(definition: Definition): Message<'SPEC'> {
  const { kind, name, version } = definition;
  const capabilities =
    definition.kind === 'source'
      ? {
          formats: ['arrow' as const, 'jsonl' as const],
          syncModes: definition.syncModes,
          ...(definition.shapes && { shapes: true }),
          ...(definition.remove && { removal: true }),
          ...(definition.verify && { verification: true }),
          ...(definition.repairs && { repair: true }),
        }
      : {
          formats: definition.formats,
          writeModes: definition.writeModes,
          ...(definition.maintain && { maintenance: true }),
          ...(definition.remove && { removal: true }),
          ...(definition.verify && { verification: true }),
        };
  return { type: 'SPEC', name, kind, version, protocol: PROTOCOL, config: definition.config, capabilities };
}

/** Only the pipe to the reader is written by file descriptor; sockets of drivers report `EPIPE` from their own calls. */
const isClosedPipe = (error: unknown) =>
  error instanceof Error &&
  'code' in error &&
  error.code === 'EPIPE' &&
  'syscall' in error &&
  error.syscall === 'write';

const readerGone = (cause: unknown) =>
  new ConnectorError('run_broken', 'The program that reads this output has ended.', { cause });
