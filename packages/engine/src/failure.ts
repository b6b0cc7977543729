import { type ConnectorError, ERROR_CODES, type Message } from '@fjord/core';

/** Whose fault it is: one of the two connectors, or the engine itself (pipeline file, resolution, protocol). */
export type Origin = 'source' | 'destination' | 'engine';

/** An error as the operator gets it: what happened, where, what to do, and the exit code that it stands for. */
export type Failure = {
  from: Origin;
  code: string;
  message: string;
  help: string;
  retryable: boolean;
  stream?: string;
  exit: number;
};

/** These follow from another fault nearly always: the pipe broke because the other side had ended, or we ended it. */
const CONSEQUENCES = new Set(['run_broken', 'terminated', 'interrupted', 'streams_failed']);

/** A ConnectorError as a failure. */
export function toFailure(error: ConnectorError, from: Origin): Failure {
  const { code, message, help, retryable, stream } = error;
  return {
    from,
    code,
    message,
    help,
    retryable,
    ...(stream !== undefined && { stream }),
    exit: ERROR_CODES[code].exit,
  };
}

/** A connector's ERROR line as a failure. A code that we do not know exits with 3 if a retry may help, else 1. */
export function failureOfLine(line: Message<'ERROR'>, from: Origin): Failure {
  const { type: _, ...error } = line;
  const known = Object.entries(ERROR_CODES).find(([code]) => code === error.code);
  return { from, ...error, exit: known?.[1].exit ?? (error.retryable ? 3 : 1) };
}

/** The failure to show first: the earliest that is not merely the echo of another; undefined if there is none. */
export function findCause(failures: readonly Failure[]): Failure | undefined {
  return failures.find(({ code }) => !CONSEQUENCES.has(code)) ?? failures[0];
}
