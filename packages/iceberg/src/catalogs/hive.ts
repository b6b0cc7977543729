import type { Catalog, Namespace, TableIdentifier } from '../catalog.ts';
import { formatIdentifier } from '../catalog.ts';
import { IcebergError } from '../errors.ts';
import type { FileIOProperties } from '../file-io.ts';
import { defaultLocation } from '../location.ts';
import { withLock } from './hive/metastore-lock.ts';
import {
  metadataLocationOf,
  nameOf,
  newMetastoreTable,
  nextMetastoreTable,
  renamedMetastoreTable,
} from './hive/metastore-table.ts';
import { ThriftClient, ThriftException } from './hive/thrift-client.ts';
import {
  type ThriftStruct,
  type ThriftValue,
  fieldsOf,
  itemsOf,
  list,
  struct,
  structOf,
  text,
  textMap,
  textOf,
} from './hive/thrift-value.ts';
import { createPointerCatalog } from './pointer-catalog.ts';
import type { PointerStore, StagedMetadata } from './pointer-store.ts';

/** Options of `openHiveCatalog`. */
export interface HiveCatalogOptions {
  /** `thrift://host:9083`. */
  readonly uri: string;
  /** Where tables go unless told or their database says: `s3://bucket/prefix`, or any other location of `openFileIO`. */
  readonly warehouse: string;
  /**
   * Whether a commit takes the metastore's lock: true unless said, as in Iceberg's HiveCatalog (`engine.hive.lock-enabled`). Without it
   * the metastore must compare by itself (HIVE-26882: Hive 4.0, or 2.3.10), and all writers of a table must do the same.
   */
  readonly locks?: boolean;
  /** Storage options; see `openFileIO`. */
  readonly io?: FileIOProperties;
}

const DEFAULT_PORT = 9083;

/** Opens a Hive metastore over plain Thrift (no Kerberos): a database is a namespace of one level, names are in lower case. */
export async function openHiveCatalog(options: HiveCatalogOptions): Promise<Catalog> {
  const url = URL.parse(options.uri);
  if (url?.protocol !== 'thrift:' || url.hostname === '') {
    throw new IcebergError('invalid_argument', 'A Hive metastore is named by thrift://host:9083.');
  }
  const client = new ThriftClient(url.hostname, url.port === '' ? DEFAULT_PORT : Number(url.port));
  return createPointerCatalog(new HiveStore(client, options), options.io);
}

class HiveStore implements PointerStore {
  readonly #client: ThriftClient;
  readonly #warehouse: string;
  readonly #locks: boolean;

  constructor(client: ThriftClient, { warehouse, locks }: HiveCatalogOptions) {
    this.#client = client;
    this.#warehouse = warehouse;
    this.#locks = locks ?? true;
  }

  async createNamespace(namespace: Namespace): Promise<void> {
    if (await this.namespaceExists(namespace)) return;
    const name = databaseName(namespace);
    const location = `${this.#warehouse.replace(/\/+$/, '')}/${name}`;
    const database = struct({ 1: text(name), 3: text(location), 4: textMap({}) });
    try {
      await this.#client.call('create_database', fieldsOf({ 1: database }));
    } catch (error) {
      // Another process may have been first, or the answer to ours was lost.
      if (!(await this.namespaceExists(namespace))) throw failed(`make database "${name}"`, error);
    }
  }

  async namespaceExists(namespace: Namespace): Promise<boolean> {
    return (await this.#database(namespace)) !== undefined;
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    if (!(await this.namespaceExists(namespace))) return [];
    const database = text(databaseName(namespace));
    const names = await this.#try(`list database "${databaseName(namespace)}"`, () =>
      this.#client.call('get_all_tables', fieldsOf({ 1: database })),
    );
    const request = struct({ 1: database, 2: list('string', itemsOf(names)) });
    const found = await this.#try(`list database "${databaseName(namespace)}"`, () =>
      this.#client.call('get_table_objects_by_name_req', fieldsOf({ 1: request })),
    );
    const entries = itemsOf(structOf(found).get(1)).map(structOf);
    const tables = entries.filter((entry) => metadataLocationOf(entry) !== undefined).map(nameOf);
    return tables.toSorted().map((name) => ({ namespace, name }));
  }

  async locationFor(identifier: TableIdentifier): Promise<string> {
    const location = textOf((await this.#database(identifier.namespace))?.get(3))?.replace(/\/+$/, '');
    // The metastore writes a local path with one slash, which some readers do not take.
    const folder = location?.replace(/^file:\/(?!\/)/, 'file:///');
    return folder ? `${folder}/${identifier.name}` : defaultLocation(this.#warehouse, identifier);
  }

  async find(identifier: TableIdentifier): Promise<string | undefined> {
    const entry = await this.#entry(identifier);
    return entry && metadataLocationOf(entry);
  }

  async insert(identifier: TableIdentifier, staged: StagedMetadata): Promise<void> {
    await this.#try(`make table "${formatIdentifier(identifier)}"`, () =>
      this.#client.call('create_table', fieldsOf({ 1: newMetastoreTable(identifier, staged) })),
    );
  }

  swap(identifier: TableIdentifier, from: string, staged: StagedMetadata): Promise<boolean> {
    const swap = () => this.#swap(identifier, from, staged);
    return this.#locks ? withLock(this.#client, identifier, swap) : swap();
  }

  async remove(identifier: TableIdentifier): Promise<boolean> {
    if ((await this.find(identifier)) === undefined) return false;
    const keepFiles: ThriftValue = { type: 'boolean', value: false };
    await this.#try(`drop table "${formatIdentifier(identifier)}"`, () =>
      this.#client.call('drop_table', fieldsOf({ ...this.#names(identifier), 3: keepFiles })),
    );
    return true;
  }

  async rename(from: TableIdentifier, to: TableIdentifier): Promise<boolean> {
    const entry = await this.#entry(from);
    if (!entry || metadataLocationOf(entry) === undefined) return false;
    await this.#alter(from, renamedMetastoreTable(entry, to), {});
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  async #swap(identifier: TableIdentifier, from: string, staged: StagedMetadata): Promise<boolean> {
    const entry = await this.#entry(identifier);
    if (!entry || metadataLocationOf(entry) !== from) return false;
    // A metastore that knows these compares them in the transaction of the change; others read over them.
    const expected = { expected_parameter_key: 'metadata_location', expected_parameter_value: from };
    try {
      await this.#alter(identifier, nextMetastoreTable(entry, from, staged), expected);
      return true;
    } catch (error) {
      if (!(error instanceof IcebergError && error.cause instanceof ThriftException)) throw error;
      // The metastore has answered: what it holds now tells whether it changed the table.
      return (await this.find(identifier)) === staged.metadataLocation || refuse(identifier, error.cause);
    }
  }

  async #alter(identifier: TableIdentifier, next: ThriftValue, context: Record<string, string>): Promise<void> {
    const environment = struct({ 1: textMap({ DO_NOT_UPDATE_STATS: 'true', ...context }) });
    const args = fieldsOf({ ...this.#names(identifier), 3: next, 4: environment });
    await this.#try(`change table "${formatIdentifier(identifier)}"`, () =>
      this.#client.call('alter_table_with_environment_context', args),
    );
  }

  async #database(namespace: Namespace): Promise<ThriftStruct | undefined> {
    const name = databaseName(namespace);
    const found = await this.#unlessMissing(`read database "${name}"`, () =>
      this.#client.call('get_database', fieldsOf({ 1: text(name) })),
    );
    return found && structOf(found);
  }

  async #entry(identifier: TableIdentifier): Promise<ThriftStruct | undefined> {
    const request = struct(this.#names(identifier));
    const found = await this.#unlessMissing(`read table "${formatIdentifier(identifier)}"`, () =>
      this.#client.call('get_table_req', fieldsOf({ 1: request })),
    );
    return found && structOf(structOf(found).get(1));
  }

  #names({ namespace, name }: TableIdentifier): { 1: ThriftValue; 2: ThriftValue } {
    return { 1: text(databaseName(namespace)), 2: text(name) };
  }

  #try<T>(what: string, call: () => Promise<T>): Promise<T> {
    return call().catch((error: unknown) => {
      throw failed(what, error);
    });
  }

  /** Undefined after NoSuchObjectException: the first exception of get_database, the second of get_table_req. */
  async #unlessMissing(what: string, call: () => Promise<ThriftValue | undefined>): Promise<ThriftValue | undefined> {
    try {
      return await call();
    } catch (error) {
      const isDatabase = what.startsWith('read database');
      if (error instanceof ThriftException && error.number === (isDatabase ? 1 : 2)) return undefined;
      throw failed(what, error);
    }
  }
}

/** "The table has been modified": somebody else was first. Anything else the metastore will say again. */
function refuse(identifier: TableIdentifier, cause: ThriftException): false {
  if (/has been modified/i.test(cause.message)) return false;
  const message = `The metastore refused a commit of table "${formatIdentifier(identifier)}": ${cause.message}`;
  throw new IcebergError('catalog_refused', message, { cause });
}

function failed(what: string, cause: unknown): IcebergError {
  if (cause instanceof IcebergError) return cause;
  const reason = cause instanceof Error ? cause.message : 'unknown error';
  return new IcebergError('catalog_failed', `The Hive metastore could not ${what} (${reason}).`, { cause });
}

function databaseName(namespace: Namespace): string {
  const [name, ...deeper] = namespace;
  if (name !== undefined && deeper.length === 0) return name;
  throw new IcebergError('invalid_argument', `Hive has namespaces of one level; "${namespace.join('.')}" is none.`);
}
