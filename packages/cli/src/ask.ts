import type { ReadStream, WriteStream } from 'node:tty';
import { createInterface, type Interface } from 'node:readline/promises';

/** One thing to ask for: the option that it fills, what to print, and what an empty answer means, if it may be empty. */
export type Question = { option: string; text: string; fallback?: string };

/**
 * Asks a person on a terminal, question after question, until each has an answer; gives the answers by option. Undefined when the person
 * ends the input or presses Ctrl-C.
 */
export async function ask(
  questions: readonly Question[],
  terminal: { input: ReadStream; output: WriteStream },
): Promise<Record<string, string> | undefined> {
  const prompts = createInterface({ ...terminal, terminal: true });
  const given = new AbortController();
  prompts.once('close', () => given.abort());
  try {
    const answers: Record<string, string> = {};
    for (const question of questions) answers[question.option] = await askOne(prompts, question, given.signal);
    return answers;
  } catch (thrown) {
    if (!given.signal.aborted) throw thrown;
    terminal.output.write('\n');
    return undefined;
  } finally {
    prompts.close();
  }
}

async function askOne(prompts: Interface, { text, fallback }: Question, signal: AbortSignal): Promise<string> {
  const shown = fallback === undefined ? `${text}: ` : `${text} [${fallback}]: `;
  for (;;) {
    const answer = (await prompts.question(shown, { signal })).trim() || fallback;
    if (answer !== undefined) return answer;
  }
}
