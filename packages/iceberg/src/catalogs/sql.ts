import type { Catalog, Namespace, Table, TableCreation, TableIdentifier } from '../catalog.ts';
import { formatIdentifier } from '../catalog.ts';
import { IcebergError } from '../errors.ts';
import { type FileIO, type FileIOProperties, openFileIO } from '../file-io.ts';
import { defaultLocation, localLocation } from '../location.ts';
import { readTableMetadata, removeForgotten, stageMetadata, writeNewMetadata } from '../metadata-file.ts';
import { type TableMetadata, newTableMetadata } from '../table-metadata.ts';
import type { SqlDatabase } from './sql-database.ts';
import { openSqlite } from './sqlite.ts';

/** Options of `openSqlCatalog`. */
export interface SqlCatalogOptions {
  /** An absolute path, or `sqlite:////absolute/path.db` as SQLAlchemy writes it, with `%` escapes. The file is made if missing. */
  readonly uri: string;
  /** Where tables go unless told: an absolute path (see `localLocation`), `file:///…`, or `s3://bucket/prefix`. */
  readonly warehouse: string;
  /** The catalog's name in the database, which several may share: `default` unless said. PyIceberg must use the same name. */
  readonly name?: string;
  /** Storage options; see `openFileIO`. */
  readonly io?: FileIOProperties;
}

const DEFAULT_NAME = 'default';

/** The layout of Iceberg's JDBC catalog, as Java, PyIceberg and others create it (schema version V1). */
const CREATE_TABLES = [
  `CREATE TABLE IF NOT EXISTS iceberg_tables (
    catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name))`,
  `CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
    catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
    property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))`,
];

const IS_TABLE = 'catalog_name = ? AND table_namespace = ? AND table_name = ?';

/** Opens a catalog kept in a SQL database, shared with every engine that knows Iceberg's JDBC catalog. */
export async function openSqlCatalog(options: SqlCatalogOptions): Promise<Catalog> {
  const database = openDatabase(options.uri);
  try {
    for (const statement of CREATE_TABLES) await database.run(statement, []);
    await addTypeColumn(database);
    return new SqlCatalog(database, options);
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** Catalogs of the older layout V0 lack this column; those who know only V0 are not disturbed by it. */
async function addTypeColumn(database: SqlDatabase): Promise<void> {
  const probe = () => database.all('SELECT iceberg_type FROM iceberg_tables LIMIT 0', []);
  try {
    await probe();
  } catch {
    // Two processes may both come here: what counts is that the column is there afterwards.
    await database.run('ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)', []).catch(() => undefined);
    await probe();
  }
}

class SqlCatalog implements Catalog {
  readonly #database: SqlDatabase;
  readonly #name: string;
  readonly #warehouse: string;
  readonly #io: FileIOProperties;

  constructor(database: SqlDatabase, options: SqlCatalogOptions) {
    this.#database = database;
    this.#name = options.name ?? DEFAULT_NAME;
    this.#warehouse = options.warehouse.startsWith('/') ? localLocation(options.warehouse) : options.warehouse;
    this.#io = options.io ?? {};
  }

  async createNamespace(namespace: Namespace): Promise<void> {
    if (await this.namespaceExists(namespace)) return;
    try {
      await this.#database.run(
        `INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
         VALUES (?, ?, 'exists', 'true')`,
        [this.#name, join(namespace)],
      );
    } catch (error) {
      // Another process may have been first.
      if (!(await this.namespaceExists(namespace))) throw error;
    }
  }

  async namespaceExists(namespace: Namespace): Promise<boolean> {
    const level = join(namespace);
    const rows = await this.#database.all(
      `SELECT 1 FROM iceberg_namespace_properties WHERE ${isWithin('namespace')}
       UNION ALL SELECT 1 FROM iceberg_tables WHERE ${isWithin('table_namespace')} LIMIT 1`,
      Array.from({ length: 2 }, () => [this.#name, level, `${level}.`, `${level}.`]).flat(),
    );
    return rows.length > 0;
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    const rows = await this.#database.all(
      `SELECT table_name FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ?
       AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL) ORDER BY table_name`,
      [this.#name, join(namespace)],
    );
    return rows.map((row) => ({ namespace, name: String(row['table_name']) }));
  }

  async loadTable(identifier: TableIdentifier): Promise<Table | undefined> {
    const location = await this.#metadataLocation(identifier);
    if (location === undefined) return undefined;
    const io = openFileIO(location, this.#io);
    return this.#table(identifier, { metadata: await readTableMetadata(io, location), metadataLocation: location, io });
  }

  async createTable(identifier: TableIdentifier, creation: TableCreation): Promise<Table> {
    const label = formatIdentifier(identifier);
    if (!(await this.namespaceExists(identifier.namespace))) {
      throw new IcebergError('no_such_namespace', `Namespace "${join(identifier.namespace)}" does not exist.`);
    }
    if ((await this.#metadataLocation(identifier)) !== undefined) throw tableExists(label);
    const location = creation.location ?? defaultLocation(this.#warehouse, identifier);
    const io = openFileIO(location, this.#io);
    const metadata = newTableMetadata({ ...creation, location });
    const metadataLocation = await writeNewMetadata(io, metadata);
    try {
      await this.#insert(identifier, metadataLocation);
    } catch (error) {
      // Another process may have been first, or our row may be in though the answer was lost.
      const found = await this.#metadataLocation(identifier);
      if (found === undefined) throw error;
      if (found !== metadataLocation) {
        await io.delete(metadataLocation);
        throw tableExists(label);
      }
    }
    return this.#table(identifier, { metadata, metadataLocation, io });
  }

  async commit(identifier: TableIdentifier, base: Table, changes: Parameters<Catalog['commit']>[2]): Promise<Table> {
    const { io, metadataLocation: baseLocation } = base;
    const { metadata, metadataLocation } = await stageMetadata(base, changes);
    const isSwapped = await this.#swap(identifier, baseLocation, metadataLocation);
    if (!isSwapped) {
      await io.delete(metadataLocation).catch(() => undefined);
      throw new IcebergError(
        'commit_conflict',
        `Table "${formatIdentifier(identifier)}" was changed by another commit.`,
      );
    }
    await removeForgotten(io, base.metadata, metadata);
    return this.#table(identifier, { metadata, metadataLocation, io });
  }

  async dropTable(identifier: TableIdentifier): Promise<void> {
    const { changes } = await this.#database.run(`DELETE FROM iceberg_tables WHERE ${IS_TABLE}`, this.#key(identifier));
    if (changes === 0)
      throw new IcebergError('no_such_table', `Table "${formatIdentifier(identifier)}" does not exist.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }

  async #metadataLocation(identifier: TableIdentifier): Promise<string | undefined> {
    const [row] = await this.#database.all(
      `SELECT metadata_location FROM iceberg_tables WHERE ${IS_TABLE} AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)`,
      this.#key(identifier),
    );
    return typeof row?.['metadata_location'] === 'string' ? row['metadata_location'] : undefined;
  }

  async #insert(identifier: TableIdentifier, metadataLocation: string): Promise<void> {
    await this.#database.run(
      `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type)
       VALUES (?, ?, ?, ?, NULL, 'TABLE')`,
      [...this.#key(identifier), metadataLocation],
    );
  }

  /** The one atomic step of a commit: the row changes only if it still names the metadata that the changes were built on. */
  async #swap(identifier: TableIdentifier, from: string, to: string): Promise<boolean> {
    try {
      const { changes } = await this.#database.run(
        `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? WHERE ${IS_TABLE} AND metadata_location = ?`,
        [to, from, ...this.#key(identifier), from],
      );
      return changes > 0;
    } catch (cause) {
      const message = `The catalog gave no answer to a commit of table "${formatIdentifier(identifier)}".`;
      throw new IcebergError('commit_state_unknown', message, { cause, metadataLocation: to });
    }
  }

  #key(identifier: TableIdentifier): [string, string, string] {
    return [this.#name, join(identifier.namespace), identifier.name];
  }

  #table(identifier: TableIdentifier, state: { metadata: TableMetadata; metadataLocation: string; io: FileIO }): Table {
    return { identifier, ...state, location: state.metadata.location };
  }
}

function openDatabase(uri: string): SqlDatabase {
  if (uri.startsWith('/')) return openSqlite(uri);
  const path = /^sqlite:\/\/\/([^?]+)/.exec(uri)?.[1];
  if (path === undefined) {
    throw new IcebergError(
      'unsupported',
      `A catalog at "${uri.split(':')[0]}:…" is not supported; use sqlite:///path.`,
    );
  }
  const decoded = decodeURIComponent(path);
  return openSqlite(decoded === ':memory:' || decoded.startsWith('/') ? decoded : `/${decoded}`);
}

/** Compared by prefix rather than LIKE: names may hold its wildcards, and LIKE ignores case. */
function isWithin(column: string): string {
  return `catalog_name = ? AND (${column} = ? OR substr(${column}, 1, length(?)) = ?)`;
}

function join(namespace: Namespace): string {
  if (namespace.length === 0) throw new IcebergError('invalid_argument', 'A namespace needs at least one level.');
  return namespace.join('.');
}

function tableExists(label: string): IcebergError {
  return new IcebergError('table_exists', `Table "${label}" exists already.`);
}
