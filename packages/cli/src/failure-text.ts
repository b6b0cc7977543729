import type { Failure } from '@fjord/engine';

/** A failure for a person (one line what, with the code that docs/errors.md explains, one line what to do) or for a program (one JSON line). */
export function failureText(failure: Failure, json: boolean): string {
  if (json) return `${JSON.stringify({ type: 'ERROR', ...failure })}\n`;
  const stream = failure.stream === undefined ? '' : ` (stream ${failure.stream})`;
  return `error: ${failure.message}${stream} [${failure.code}]\nfix: ${failure.help}\n`;
}
