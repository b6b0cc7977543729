import type { OperatorLine } from './connector-process.ts';

/** Whether a line tells of a fault that was survived by trying again: a warning that carries the code of an error (docs/protocol.md, LOG). */
export function isRetry(line: OperatorLine): boolean {
  return line.type === 'LOG' && line.level === 'warn' && typeof line.fields?.['code'] === 'string';
}
