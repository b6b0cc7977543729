import type { Catalog, Namespace, TableIdentifier } from '../catalog.ts';
import { IcebergError } from '../errors.ts';
import type { FileIOProperties } from '../file-io.ts';
import { defaultLocation, localLocation } from '../location.ts';
import { createPointerCatalog } from './pointer-catalog.ts';
import type { PointerStore, StagedMetadata } from './pointer-store.ts';
import type { SqlDatabase } from './sql-database.ts';
import { openSqlite } from './sqlite.ts';

/** Options of `openSqlCatalog`. */
export interface SqlCatalogOptions {
  /**
   * `postgresql://user:password@host/database`, `mysql://…`, an absolute path, or `sqlite:////absolute/path.db` as SQLAlchemy writes
   * it, with `%` escapes; a SQLite file is made if missing. Drivers in SQLAlchemy's form (`postgresql+psycopg2:`) are read over.
   */
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
const TABLES = [
  {
    table: 'iceberg_tables',
    columns: `catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
      metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
      PRIMARY KEY (catalog_name, table_namespace, table_name)`,
  },
  {
    table: 'iceberg_namespace_properties',
    columns: `catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
      property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key)`,
  },
];

const IS_ENTRY = 'catalog_name = ? AND table_namespace = ? AND table_name = ?';

/** Rows of before the type column are tables; others may be views. */
const IS_TABLE = "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)";

/** Opens a catalog kept in a SQL database, shared with every engine that knows Iceberg's JDBC catalog. */
export async function openSqlCatalog(options: SqlCatalogOptions): Promise<Catalog> {
  const database = await openDatabase(options.uri);
  try {
    await createTables(database);
    return createPointerCatalog(new SqlStore(database, options), options.io);
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** Looked for first: who may only read and write the tables of an existing catalog need not be allowed to make them. */
async function createTables(database: SqlDatabase): Promise<void> {
  const probe = (columns: string, table: string) => database.all(`SELECT ${columns} FROM ${table} WHERE 1 = 0`, []);
  for (const { table, columns } of TABLES) {
    const create = () =>
      database.run(`CREATE TABLE IF NOT EXISTS ${table} (${columns}) ${database.tableOptions ?? ''}`, []);
    try {
      await probe('catalog_name', table);
    } catch {
      // PostgreSQL fails one of two who create the same table at the same time, IF NOT EXISTS or not.
      await create().catch(create);
    }
  }
  // Catalogs of the older layout V0 lack the type column; those who know only V0 are not disturbed by it.
  try {
    await probe('iceberg_type', 'iceberg_tables');
  } catch {
    // Two processes may both come here: what counts is that the column is there afterwards.
    await database.run('ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)', []).catch(() => undefined);
    await probe('iceberg_type', 'iceberg_tables');
  }
}

class SqlStore implements PointerStore {
  readonly #database: SqlDatabase;
  readonly #name: string;
  readonly #warehouse: string;

  constructor(database: SqlDatabase, options: SqlCatalogOptions) {
    this.#database = database;
    this.#name = options.name ?? DEFAULT_NAME;
    this.#warehouse = options.warehouse.startsWith('/') ? localLocation(options.warehouse) : options.warehouse;
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
    const within = `${level}.`;
    const rows = await this.#database.all(
      `SELECT namespace AS found FROM iceberg_namespace_properties WHERE ${isWithin('namespace')}
       UNION SELECT table_namespace AS found FROM iceberg_tables WHERE ${isWithin('table_namespace')}`,
      Array.from({ length: 2 }, () => [this.#name, level, `${escapeLike(within)}%`]).flat(),
    );
    return rows.some(({ found }) => found === level || String(found).startsWith(within));
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    const level = join(namespace);
    const rows = await this.#database.all(
      `SELECT table_namespace, table_name FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND ${IS_TABLE}`,
      [this.#name, level],
    );
    const names = rows.filter((row) => row['table_namespace'] === level).map((row) => String(row['table_name']));
    return names.toSorted().map((name) => ({ namespace, name }));
  }

  async locationFor(identifier: TableIdentifier): Promise<string> {
    return defaultLocation(this.#warehouse, identifier);
  }

  /** Compared once more here: a database may take names that differ in case or trailing spaces for equal. */
  async find(identifier: TableIdentifier): Promise<string | undefined> {
    const [catalog, namespace, name] = this.#key(identifier);
    const rows = await this.#database.all(
      `SELECT catalog_name, table_namespace, table_name, metadata_location FROM iceberg_tables WHERE ${IS_ENTRY} AND ${IS_TABLE}`,
      [catalog, namespace, name],
    );
    const row = rows.find(
      (found) =>
        found['catalog_name'] === catalog && found['table_namespace'] === namespace && found['table_name'] === name,
    );
    return typeof row?.['metadata_location'] === 'string' ? row['metadata_location'] : undefined;
  }

  async insert(identifier: TableIdentifier, { metadataLocation }: StagedMetadata): Promise<void> {
    await this.#database.run(
      `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type)
       VALUES (?, ?, ?, ?, NULL, 'TABLE')`,
      [...this.#key(identifier), metadataLocation],
    );
  }

  async swap(identifier: TableIdentifier, from: string, { metadataLocation }: StagedMetadata): Promise<boolean> {
    const { changes } = await this.#database.run(
      `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? WHERE ${IS_ENTRY} AND metadata_location = ?`,
      [metadataLocation, from, ...this.#key(identifier), from],
    );
    return changes > 0;
  }

  async remove(identifier: TableIdentifier): Promise<boolean> {
    // Bound to the location that was found, which names this one table; a commit in between changes it, and it is looked up again.
    for (;;) {
      const location = await this.find(identifier);
      if (location === undefined) return false;
      const { changes } = await this.#database.run(
        `DELETE FROM iceberg_tables WHERE ${IS_ENTRY} AND metadata_location = ?`,
        [...this.#key(identifier), location],
      );
      if (changes > 0) return true;
    }
  }

  async rename(from: TableIdentifier, to: TableIdentifier): Promise<boolean> {
    if ((await this.find(from)) === undefined) return false;
    const { changes } = await this.#database.run(
      `UPDATE iceberg_tables SET table_namespace = ?, table_name = ? WHERE ${IS_ENTRY} AND ${IS_TABLE}`,
      [join(to.namespace), to.name, ...this.#key(from)],
    );
    return changes > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }

  #key(identifier: TableIdentifier): [string, string, string] {
    return [this.#name, join(identifier.namespace), identifier.name];
  }
}

async function openDatabase(uri: string): Promise<SqlDatabase> {
  const scheme = /^([a-z]+)(?:\+[a-z0-9]+)?:/i.exec(uri)?.[1]?.toLowerCase() ?? 'sqlite';
  const rest = uri.slice(uri.indexOf(':') + 1);
  switch (scheme) {
    case 'postgresql':
    case 'postgres':
      return (await import('./postgres.ts')).openPostgres(`postgresql:${rest}`);
    case 'mysql':
    case 'mariadb':
      return (await import('./mysql.ts')).openMysql(`mysql:${rest}`);
    case 'sqlite':
      return openSqlite(sqlitePath(uri));
    default:
      throw new IcebergError(
        'unsupported',
        `A catalog at "${scheme}:…" is not supported; use postgresql://, mysql:// or sqlite:///path.`,
      );
  }
}

function sqlitePath(uri: string): string {
  if (uri.startsWith('/')) return uri;
  const path = /^sqlite:\/\/\/([^?]+)/.exec(uri)?.[1];
  if (path === undefined) throw new IcebergError('invalid_argument', 'A catalog in SQLite is named by sqlite:///path.');
  const decoded = decodeURIComponent(path);
  return decoded === ':memory:' || decoded.startsWith('/') ? decoded : `/${decoded}`;
}

/** The namespace itself or one below it. LIKE ignores case in some databases: what is found is compared again. */
function isWithin(column: string): string {
  return `catalog_name = ? AND (${column} = ? OR ${column} LIKE ? ESCAPE '!')`;
}

function escapeLike(text: string): string {
  return text.replaceAll(/[!%_]/g, '!$&');
}

function join(namespace: Namespace): string {
  if (namespace.length === 0) throw new IcebergError('invalid_argument', 'A namespace needs at least one level.');
  return namespace.join('.');
}
