import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { IcebergError } from '../errors.ts';
import type { SqlDatabase } from './sql-database.ts';

/** SQLite waits inside a call and blocks the thread, so it may only do so briefly; the longer wait is ours. */
const BLOCKING_WAIT_MS = 50;

/** Commits hold the lock for milliseconds: who waits this long has found a stuck process. */
const LOCK_TIMEOUT_MS = 30_000;

const SQLITE_BUSY = 5;

/**
 * Opens a SQLite file, made if missing. The journal mode is left as it is: a catalog writes a row a commit, and a file without
 * companions can be copied and opened by any other tool.
 */
export function openSqlite(path: string): SqlDatabase {
  const database = open(path);
  return {
    run: (sql, values) => whenFree(path, () => ({ changes: Number(database.prepare(sql).run(...values).changes) })),
    all: (sql, values) => whenFree(path, () => database.prepare(sql).all(...values)),
    async [Symbol.asyncDispose]() {
      if (database.isOpen) database.close();
    },
  };
}

function open(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    return new DatabaseSync(path, { timeout: BLOCKING_WAIT_MS });
  } catch (cause) {
    throw new IcebergError('catalog_failed', `The catalog file ${path} could not be opened (${reasonOf(cause)}).`, {
      cause,
    });
  }
}

async function whenFree<T>(path: string, work: () => T): Promise<T> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    try {
      return work();
    } catch (cause) {
      if (isBusy(cause) && Date.now() < deadline) {
        await delay(Math.random() * BLOCKING_WAIT_MS);
        continue;
      }
      throw new IcebergError('catalog_failed', `The catalog file ${path} could not be used (${reasonOf(cause)}).`, {
        cause,
      });
    }
  }
}

function isBusy(error: unknown): boolean {
  // The low byte is the primary code, the rest says which kind of busy.
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === SQLITE_BUSY;
}

/** SQLite's own words for the kind of fault, which hold no value; the code of Node where the folder is the trouble. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if ('errstr' in error) return String(error.errstr);
  return 'code' in error ? String(error.code) : error.name;
}
