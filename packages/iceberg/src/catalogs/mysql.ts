import type { QueryResult, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { IcebergError } from '../errors.ts';
import { importOptional } from '../optional-package.ts';
import type { SqlDatabase } from './sql-database.ts';

/** A catalog makes small statements one after the other; several tables may be committed to at once. */
const MAX_CONNECTIONS = 4;

/** Opens a MySQL or MariaDB database by its URI; `ssl` and other options of `mysql2` may follow as parameters. */
export async function openMysql(uri: string): Promise<SqlDatabase> {
  const { createPool } = await importOptional('mysql2', 'a catalog in MySQL', () => import('mysql2/promise'));
  const pool = createPool({ uri, connectionLimit: MAX_CONNECTIONS, charset: 'utf8mb4', flags: ['FOUND_ROWS'] });
  const query = async <T extends QueryResult>(sql: string, values: readonly string[]): Promise<T> => {
    try {
      const [result] = await pool.query<T>(sql, [...values]);
      return result;
    } catch (cause) {
      throw failed(cause);
    }
  };
  return {
    run: async (sql, values) => ({ changes: (await query<ResultSetHeader>(sql, values)).affectedRows }),
    all: (sql, values) => query<RowDataPacket[]>(sql, values),
    // Names differ by case and accents; three columns of four bytes a character just fit a key.
    tableOptions: 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

function failed(cause: unknown): IcebergError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const code = /ACCESS_?DENIED/.test(reason) ? 'catalog_refused' : 'catalog_failed';
  return new IcebergError(code, `The catalog's MySQL database could not be used (${reason}).`, { cause });
}
