import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ConnectorError, type LookRequest, type Message, type RunContext } from '@fjord/core';
import { importOptional } from '@fjord/iceberg';
import type { Config } from '../config.ts';
import { toConnectorError } from '../iceberg-errors.ts';
import { refusePlainFiles } from '../parquet-folder.ts';
import { createValueConverter } from './query-values.ts';
import { openViews } from './query-views.ts';
import { quoteText } from './type-text.ts';

const MEGABYTE = 1024 * 1024;

/** What `runQuery` is asked. */
export type QueryRequest = LookRequest<Config> & { sql: string };

/**
 * Asks DuckDB, with the tables of the streams as views over the files of their current snapshots, deletes applied. Within the given memory;
 * what spills or is copied lies in a private folder that ends with the query.
 */
export async function* runQuery(
  request: QueryRequest,
  { signal }: Pick<RunContext, 'signal'>,
): AsyncGenerator<Message<'RESULT' | 'ROWS'>> {
  refusePlainFiles(request.config, 'query');
  // Named as the engine's folders are: should this process be killed, the next run removes it.
  const folder = await mkdtemp(path.join(tmpdir(), `fjord-run-${process.pid}-`));
  try {
    const duckdb = await importOptional('@duckdb/node-api', 'fjord query', () => import('@duckdb/node-api'));
    const connection = await (await duckdb.DuckDBInstance.create()).connect();
    const interrupt = () => connection.interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      await configure(connection, request, folder);
      await openViews(connection, request, folder);
      const result = await asked(() => connection.stream(request.sql));
      const names = result.deduplicatedColumnNames();
      const columns = result.columnTypes().map((type, index) => ({ name: names[index] ?? '', type: String(type) }));
      yield { type: 'RESULT', columns };
      const pages = result.yieldConvertedRows(createValueConverter(duckdb));
      for (let page = await asked(() => pages.next()); !page.done; page = await asked(() => pages.next())) {
        yield { type: 'ROWS', rows: page.value };
      }
    } finally {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
    }
  } catch (thrown) {
    signal.throwIfAborted();
    throw toConnectorError(thrown);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Times are shown as everybody's, not as this machine's. */
async function configure(connection: DuckDBConnection, { memoryBytes }: QueryRequest, folder: string): Promise<void> {
  await connection.run(`SET memory_limit = '${Math.ceil(memoryBytes / MEGABYTE)}MiB'`);
  await connection.run(`SET temp_directory = ${quoteText(folder)}`);
  await connection.run("SET TimeZone = 'UTC'");
}

/** What DuckDB has against the statement is its writer's to correct. */
async function asked<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectorError('arguments_invalid', `DuckDB refuses the query: ${message}`, {
      cause,
      help: 'Correct the statement; `fjord table` lists the tables, `fjord table TABLE` the columns of one.',
    });
  }
}
