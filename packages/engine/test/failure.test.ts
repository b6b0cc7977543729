import { ConnectorError, ERROR_CODES, type Message } from '@fjord/core';
import { expect, test } from 'vitest';
import { type Failure, failureOfLine, findCause, toFailure } from '../src/failure.ts';

const line = (code: string, more: Partial<Message<'ERROR'>> = {}): Message<'ERROR'> => ({
  type: 'ERROR',
  code,
  message: 'It broke.',
  help: 'Mend it.',
  retryable: false,
  ...more,
});
const failure = (code: string): Failure => failureOfLine(line(code), 'source');

test('an error of ours keeps its words and stream, and gets the exit code of its code', () => {
  const error = new ConnectorError('unrepresentable_value', 'No such day.', { stream: 'public.t' });
  expect(toFailure(error, 'engine')).toEqual({
    from: 'engine',
    code: 'unrepresentable_value',
    message: 'No such day.',
    help: ERROR_CODES.unrepresentable_value.help,
    retryable: false,
    stream: 'public.t',
    exit: 5,
  });
  expect(toFailure(new ConnectorError('snapshot_lost', 'Gone.'), 'source')).not.toHaveProperty('stream');
});

test.each(Object.entries(ERROR_CODES))('a line with the code %s has its exit code', (code, { exit }) => {
  expect(failureOfLine(line(code, { stream: 's' }), 'destination')).toEqual({
    from: 'destination',
    code,
    message: 'It broke.',
    help: 'Mend it.',
    retryable: false,
    stream: 's',
    exit,
  });
});

test.each([
  ['may be tried again', true, 3],
  ['may not', false, 1],
])('a code of another connector that %s exits accordingly', (_, retryable, exit) => {
  expect(failureOfLine(line('of_another', { retryable }), 'source').exit).toBe(exit);
});

test('a code that is a name of every object is none of ours', () => {
  expect(failureOfLine(line('constructor'), 'source').exit).toBe(1);
});

test.each([
  [['run_broken', 'storage_denied', 'source_unreachable'], 'storage_denied'],
  [['terminated', 'run_broken'], 'terminated'],
  [['streams_failed', 'permission_denied'], 'permission_denied'],
  [['source_unreachable', 'storage_denied'], 'source_unreachable'],
  [['interrupted', 'of_another'], 'of_another'],
])('of %j the cause is %s', (codes, cause) => {
  expect(findCause(codes.map(failure))?.code).toBe(cause);
});

test('where nothing failed there is no cause', () => {
  expect(findCause([])).toBeUndefined();
});
