import { ConnectorError } from '@fjord/core';
import { failureOfThrown, removePipeline } from '@fjord/engine';
import { failureText } from './failure-text.ts';
import type { Arguments } from './main.ts';
import { withSession } from './with-session.ts';

/** `fjord remove`: removes what a pipeline keeps beside its tables, and says what that was. */
export async function remove(args: Arguments): Promise<number> {
  if (args.options['force'] !== true) {
    const error = new ConnectorError('arguments_invalid', 'After this the pipeline cannot go on from where it is.', {
      help: 'Give --force if that is meant. Tables stay in any case.',
    });
    const failure = failureOfThrown(error);
    process.stderr.write(failureText(failure, args.json));
    return failure.exit;
  }
  return withSession(args, async (session) => {
    let removed = 0;
    await removePipeline(session, (message) => {
      removed += 1;
      process.stdout.write(args.json ? `${JSON.stringify(message)}\n` : `removed: ${message.what}\n`);
    });
    if (removed === 0 && !args.json) process.stdout.write('There was nothing to remove.\n');
    return 0;
  });
}
