import type { ConnectorError } from './errors.ts';
import type { Message } from './protocol/messages.ts';
import type { Trace } from './tracing/span.ts';

/** Writes a levelled log line for the operator; `fields` hold values (never a row value or a secret). */
export type Log = (level: Message<'LOG'>['level'], message: string, fields?: Record<string, unknown>) => void;

/** What every verb gets besides its request. `signal` aborts on SIGTERM, SIGINT or a closed pipe: stop soon, resumably. */
export type RunContext = {
  log: Log;
  progress(progress: Omit<Message<'PROGRESS'>, 'type'>): void;
  /** Prints an ERROR line for a fault that the run survives (one stream failed, others go on). */
  report(error: ConnectorError): void;
  signal: AbortSignal;
  /** Begins a span where traces are asked for: `using span = context.trace?.('chunk', { stream })`. */
  trace?: Trace;
};
