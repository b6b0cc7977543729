import { DuckDBInstance } from '@duckdb/node-api';

// Puts DuckDB's iceberg extension, and what it needs, where every DuckDB of this user finds it. Does nothing if it is there.
const connection = await (await DuckDBInstance.create()).connect();
await connection.run('INSTALL iceberg; INSTALL avro; INSTALL httpfs');
