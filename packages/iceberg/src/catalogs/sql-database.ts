/** The little that a SQL catalog needs of a database; statements use `?` for values. */
export interface SqlDatabase extends AsyncDisposable {
  /** Runs one statement as a transaction of its own and tells how many rows it changed, or matched. */
  run(sql: string, values: readonly string[]): Promise<{ changes: number }>;
  /** Runs a query. */
  all(sql: string, values: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** What follows the columns of CREATE TABLE. */
  readonly tableOptions?: string;
}
