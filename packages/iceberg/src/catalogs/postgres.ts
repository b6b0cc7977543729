import { IcebergError } from '../errors.ts';
import { importOptional } from '../optional-package.ts';
import type { SqlDatabase } from './sql-database.ts';

/** A catalog makes small statements one after the other; several tables may be committed to at once. */
const MAX_CONNECTIONS = 4;

/** Opens a PostgreSQL database by its URI, with what `pg` understands there (`sslmode`, `sslrootcert`, …) and in the PG* variables. */
export async function openPostgres(uri: string): Promise<SqlDatabase> {
  const { default: pg } = await importOptional('pg', 'a catalog in PostgreSQL', () => import('pg'));
  const pool = new pg.Pool({ connectionString: uri, max: MAX_CONNECTIONS, application_name: 'fjord-iceberg' });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  const query = async (sql: string, values: readonly string[]) => {
    try {
      return await pool.query<Record<string, unknown>>(numberPlaceholders(sql), [...values]);
    } catch (cause) {
      throw failed(cause);
    }
  };
  return {
    run: async (sql, values) => ({ changes: (await query(sql, values)).rowCount ?? 0 }),
    all: async (sql, values) => (await query(sql, values)).rows,
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

function numberPlaceholders(sql: string): string {
  let number = 0;
  return sql.replaceAll('?', () => `$${++number}`);
}

/** SQLSTATE of wrong logins (class 28) and of missing privileges. */
const REFUSALS = /^(28...|42501)$/;

function failed(cause: unknown): IcebergError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const code = REFUSALS.test(reason) ? 'catalog_refused' : 'catalog_failed';
  return new IcebergError(code, `The catalog's PostgreSQL database could not be used (${reason}).`, { cause });
}
