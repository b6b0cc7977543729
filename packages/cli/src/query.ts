import { once } from 'node:events';
import { totalmem } from 'node:os';
import { ConnectorError, type Message } from '@fjord/core';
import { failureOfThrown } from '@fjord/engine';
import { failureText } from './failure-text.ts';
import { withSession } from './with-session.ts';
import type { Arguments } from './main.ts';
import { csvLines, gridLines, jsonLines, type ResultLines } from './result-text.ts';

/** A query may take this share of the machine's memory unless told; beyond it DuckDB spills to disk. */
const MEMORY_SHARE = 1 / 2;

/** `fjord query`: asks the pipeline's tables, and prints the rows as they come. */
export async function query(args: Arguments): Promise<number> {
  const { subject, options, json } = args;
  if (subject === undefined || (json && options['csv'] === true)) {
    const failure = failureOfThrown(
      subject === undefined
        ? new ConnectorError('arguments_invalid', 'fjord query needs a statement.', { help: 'See fjord query --help.' })
        : new ConnectorError('arguments_invalid', 'Give --json or --csv, not both.'),
    );
    process.stderr.write(failureText(failure, json));
    return failure.exit;
  }
  using stop = watchReader();
  return withSession(
    args,
    async (session) => {
      const { file } = await session.selectTables();
      const memoryMB = Number(options['memory'] ?? Math.floor((totalmem() * MEMORY_SHARE) / 2 ** 20));
      const lines = json ? jsonLines() : options['csv'] === true ? csvLines() : gridLines();
      try {
        await session.query({ sql: subject, streams: file, memoryMB }, (message) => show(message, lines));
        await print(lines.end());
      } catch (thrown) {
        // Whoever has seen enough is told nothing more.
        if (!stop.hasReaderGone) throw thrown;
      }
      return 0;
    },
    { signal: stop.signal },
  );
}

function show(message: Message<'RESULT' | 'ROWS'>, lines: ResultLines): Promise<void> {
  return print(message.type === 'RESULT' ? lines.head(message.columns) : lines.rows(message.rows));
}

/** Waits for a slow reader, so that a large result is not gathered in memory. */
async function print(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Ends the query on Ctrl-C, and when whoever reads the output (`| head`) has seen enough. */
function watchReader(): Disposable & { signal: AbortSignal; hasReaderGone: boolean } {
  const controller = new AbortController();
  const watch = {
    signal: controller.signal,
    hasReaderGone: false,
    [Symbol.dispose]: () => void process.off('SIGINT', interrupt),
  };
  const interrupt = () => controller.abort(new ConnectorError('interrupted', 'The query was interrupted.'));
  process.on('SIGINT', interrupt);
  process.stdout.on('error', () => {
    watch.hasReaderGone = true;
    controller.abort(new ConnectorError('run_broken', 'The program that reads this output has ended.'));
  });
  return watch;
}
