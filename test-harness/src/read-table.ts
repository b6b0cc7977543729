import path from 'node:path';
import { PYTHON_FOLDER, runPython } from './python.ts';
import type { S3Access } from './s3.ts';

/** A value as text, exact: what PostgreSQL prints, but for timestamps (ISO, six digits, Z if with time zone), times (six digits) and binary (plain hex). Maps are lists of pairs. */
export type CanonicalValue = string | null | CanonicalValue[] | { [field: string]: CanonicalValue };

/** What a reader found in a table: the columns, typed in the reader's own words, and all rows in its order. */
export interface TableContents {
  columns: { name: string; type: string }[];
  rows: CanonicalValue[][];
}

/** A table for PyIceberg: by its metadata file, or by an SQL catalog (`sqlite:////path`) and its name there; `filter` is a PyIceberg expression. */
export type PyIcebergTable = (
  | { metadataLocation: string }
  | { catalogUri: string; catalogName: string; table: readonly string[] }
) & { properties?: Record<string, string>; s3?: S3Access; columns?: string[]; filter?: string };

/** A table for DuckDB by its metadata file; `sql` may ask anything of the view `lake`, and is `SELECT * FROM lake` if absent. */
export interface DuckDBTable {
  metadataLocation: string;
  sql?: string;
  s3?: S3Access;
}

/** Reads an Iceberg table with PyIceberg; column types are Iceberg's (`decimal(18, 4)`, `list<long>`). */
export async function readWithPyIceberg(table: PyIcebergTable): Promise<TableContents> {
  return readTable({ reader: 'pyiceberg', ...table });
}

/** Reads an Iceberg table with DuckDB's iceberg extension; column types are DuckDB's (`DECIMAL(18,4)`, `BIGINT[]`). */
export async function readWithDuckDB(table: DuckDBTable): Promise<TableContents> {
  return readTable({ reader: 'duckdb', ...table });
}

/** The rows in an order that depends on their values alone, to compare tables that have no order. */
export function sortRows(rows: readonly CanonicalValue[][]): CanonicalValue[][] {
  const keyed = rows.map((row) => ({ key: JSON.stringify(row), row }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row);
}

async function readTable(request: object): Promise<TableContents> {
  const script = path.join(PYTHON_FOLDER, 'read_table.py');
  const { stdout } = await runPython(script, [], { input: JSON.stringify(request) });
  return JSON.parse(stdout) as TableContents;
}
