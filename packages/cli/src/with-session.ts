import { failureOfThrown, loadPipeline, type OperatorLine, Session, type SessionOptions } from '@fjord/engine';
import { failureText } from './failure-text.ts';
import type { Arguments } from './main.ts';

/** Opens the pipeline's connectors for a verb; gives the verb's exit code, or that of the failure, which is printed. */
export async function withSession(
  args: Arguments,
  use: (session: Session) => Promise<number>,
  options: Pick<SessionOptions, 'signal'> = {},
): Promise<number> {
  try {
    await using session = await Session.open(await loadPipeline(args.file), { ...options, onLine: showWarning });
    return await use(session);
  } catch (thrown) {
    const failure = failureOfThrown(thrown);
    process.stderr.write(failureText(failure, args.json));
    return failure.exit;
  }
}

/** Passes on what connectors warn of while they answer. */
export function showWarning(line: OperatorLine): void {
  if (line.type === 'LOG' && (line.level === 'warn' || line.level === 'error'))
    process.stderr.write(`${line.message}\n`);
}
