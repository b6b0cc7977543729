import type { DuckDBConnection } from '@duckdb/node-api';
import { POSITION_DELETE_FIELDS, readDeletionVector, type ScanFile, type Table } from '@fjord/iceberg';
import { type PathOf, readParquet } from './table-sql.ts';

/** A table in which DuckDB finds deleted rows, and what it is about. */
export type Positions = { table: Table; files: readonly ScanFile[]; positions: string; pathOf: PathOf };

/** Makes the table `positions` (`file`, `pos`): rows of position delete files, read by DuckDB, and of deletion vectors, read by us. */
export async function loadPositions(
  connection: DuckDBConnection,
  { table, files, positions, pathOf }: Positions,
): Promise<void> {
  await connection.run(`CREATE TABLE ${positions} (file VARCHAR, pos BIGINT)`);
  const hit = files.filter(({ deletes }) => deletes.some(({ content }) => content === 'position-deletes'));
  if (hit.length === 0) return;
  const paths = `${positions}_paths`;
  await connection.run(`CREATE TABLE ${paths} (location VARCHAR, file VARCHAR)`);
  const locations = hit.map(({ file }) => [file.filePath, pathOf(file)] as const);
  await append(connection, paths, locations);
  const isVector = ({ fileFormat }: { fileFormat: string }) => fileFormat === 'PUFFIN';
  const deletes = new Set(hit.flatMap((scanned) => scanned.deletes));
  const listed = [...deletes].filter((file) => file.content === 'position-deletes' && !isVector(file));
  if (listed.length > 0) {
    const rows = readParquet(listed, { fields: POSITION_DELETE_FIELDS, pathOf, withPlaces: false });
    const join = `${rows} d JOIN ${paths} p ON p.location = d.file_path`;
    await connection.run(`INSERT INTO ${positions} SELECT p.file, d.pos FROM ${join}`);
  }
  for (const { file, deletes: own } of hit) {
    const vector = own.find(isVector);
    if (!vector) continue;
    const deleted = await readDeletionVector(table.io, vector);
    await append(connection, positions, pairs(pathOf(file), deleted));
  }
}

function* pairs(file: string, positions: Iterable<number>): Generator<readonly [string, bigint]> {
  for (const position of positions) yield [file, BigInt(position)];
}

async function append(
  connection: DuckDBConnection,
  table: string,
  rows: Iterable<readonly [string, string | bigint]>,
): Promise<void> {
  const [schema = '', name = ''] = table.split('.');
  const appender = await connection.createAppender(name, schema);
  for (const [text, other] of rows) {
    appender.appendVarchar(text);
    if (typeof other === 'bigint') appender.appendBigInt(other);
    else appender.appendVarchar(other);
    appender.endRow();
  }
  appender.closeSync();
}
