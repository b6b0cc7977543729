import { writeSync } from 'node:fs';
import type { ConnectorError } from '../errors.ts';
import type { Message } from '../protocol/messages.ts';
import type { Log } from '../run-context.ts';

/** Writes the operator's JSON lines (LOG, PROGRESS, ERROR) to stderr; every line passes `redact`, so no secret leaves by this way. */
export type OperatorLog = {
  log: Log;
  progress(progress: Omit<Message<'PROGRESS'>, 'type'>): void;
  report(error: ConnectorError): void;
};

export function createOperatorLog(redact: (text: string) => string): OperatorLog {
  const send = (message: Message<'LOG' | 'PROGRESS' | 'ERROR'>) => writeLine(redact(JSON.stringify(message)));
  return {
    log: (level, message, fields) =>
      send({ type: 'LOG', level, message, at: new Date().toISOString(), ...(fields && { fields }) }),
    progress: (progress) => send({ type: 'PROGRESS', ...progress }),
    report: (error) =>
      send({
        type: 'ERROR',
        code: error.code,
        message: error.message,
        help: error.help,
        retryable: error.retryable,
        ...(error.stream !== undefined && { stream: error.stream }),
      }),
  };
}

function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Nobody reads stderr any more (closed or full): there is no other place to say so.
  }
}
