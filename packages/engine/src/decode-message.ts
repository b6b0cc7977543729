import { ConnectorError, type Message, MESSAGES } from '@fjord/core';
import { findConfigProblems } from '@fjord/core/config';

/** A line of a connector's stdout, of the given type; undefined for another type; malformed ones are `protocol_violation`. */
export function decodeMessage<Name extends Message['type']>(
  line: unknown,
  type: Name,
  sender: string,
): Message<Name> | undefined {
  if (typeof line !== 'object' || line === null || !('type' in line) || line.type !== type) return undefined;
  const problem = findConfigProblems(MESSAGES[type], line)[0];
  if (problem === undefined) return line as Message<Name>;
  throw new ConnectorError(
    'protocol_violation',
    `The ${type} message of ${sender} is malformed: ${problem.path} ${problem.message}.`,
  );
}

/** A line of stdout as a JSON value; anything else is `protocol_violation` (stdout carries only protocol). */
export function parseProtocolLine(line: string, sender: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The text itself is not shown: it may be a row.
    throw new ConnectorError('protocol_violation', `A line on stdout of ${sender} is not JSON.`);
  }
}

/** An operator's line of stderr; text that is none of LOG, PROGRESS or ERROR becomes a LOG line of level info. */
export function decodeOperatorLine(line: string): Message<'LOG' | 'PROGRESS' | 'ERROR'> {
  const value = parseOrUndefined(line);
  for (const type of ['PROGRESS', 'LOG', 'ERROR'] as const) {
    if (isOperatorMessage(value, type)) return value;
  }
  return { type: 'LOG', level: 'info', message: line, at: new Date().toISOString() };
}

/** Checks only what we use: these lines are many, and none of them decides about rows. */
function isOperatorMessage<Name extends 'LOG' | 'PROGRESS' | 'ERROR'>(
  value: unknown,
  type: Name,
): value is Message<Name> {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== type) return false;
  const fields: Record<string, unknown> = { ...value };
  if (type === 'PROGRESS') return typeof fields['stream'] === 'string' && typeof fields['rows'] === 'number';
  if (typeof fields['message'] !== 'string') return false;
  return type === 'LOG' || (typeof fields['code'] === 'string' && typeof fields['help'] === 'string');
}

function parseOrUndefined(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
