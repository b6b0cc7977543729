import {
  type Catalog,
  type Namespace,
  type Table,
  type TableChanges,
  type TableCreation,
  type TableIdentifier,
  formatIdentifier,
} from '../catalog.ts';
import { IcebergError } from '../errors.ts';
import { type FileIO, type FileIOProperties, shareFileIOs } from '../file-io.ts';
import { readTableMetadata, removeForgotten, stageMetadata, writeNewMetadata } from '../metadata-file.ts';
import { newTableMetadata } from '../table-metadata.ts';
import type { PointerStore, StagedMetadata } from './pointer-store.ts';

/** A catalog that keeps, for each table, a pointer to its current metadata file, and commits by swapping it. */
export function createPointerCatalog(store: PointerStore, io: FileIOProperties = {}): Catalog {
  const catalog = new PointerCatalog(store, io);
  if (!store.rename) return catalog;
  return Object.assign(catalog, {
    renameTable: (from: TableIdentifier, to: TableIdentifier) => renameTable(store, from, to),
  });
}

/** The error for a name that is taken. */
export function tableExists(identifier: TableIdentifier): IcebergError {
  return new IcebergError('table_exists', `Table "${formatIdentifier(identifier)}" exists already.`);
}

/** The error for a table that is not there. */
export function noSuchTable(identifier: TableIdentifier): IcebergError {
  return new IcebergError('no_such_table', `Table "${formatIdentifier(identifier)}" does not exist.`);
}

/** The error for a namespace that is not there. */
export function noSuchNamespace(namespace: Namespace): IcebergError {
  return new IcebergError('no_such_namespace', `Namespace "${namespace.join('.')}" does not exist.`);
}

/** The error for a commit on top of a table that has changed. */
export function changedByOther(identifier: TableIdentifier, cause?: unknown): IcebergError {
  const message = `Table "${formatIdentifier(identifier)}" was changed by another commit.`;
  return new IcebergError('commit_conflict', message, { cause });
}

class PointerCatalog implements Catalog {
  readonly #store: PointerStore;
  readonly #ioProperties: FileIOProperties;
  readonly #open: (location: string) => FileIO;

  constructor(store: PointerStore, ioProperties: FileIOProperties) {
    this.#store = store;
    this.#ioProperties = ioProperties;
    this.#open = shareFileIOs(ioProperties);
  }

  createNamespace(namespace: Namespace): Promise<void> {
    return this.#store.createNamespace(namespace);
  }

  namespaceExists(namespace: Namespace): Promise<boolean> {
    return this.#store.namespaceExists(namespace);
  }

  listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    return this.#store.listTables(namespace);
  }

  async loadTable(identifier: TableIdentifier): Promise<Table | undefined> {
    const metadataLocation = await this.#store.find(identifier);
    if (metadataLocation === undefined) return undefined;
    const metadata = await readTableMetadata(this.#open(metadataLocation), metadataLocation);
    return this.#table(identifier, { metadata, metadataLocation });
  }

  async createTable(identifier: TableIdentifier, creation: TableCreation): Promise<Table> {
    if (!(await this.#store.namespaceExists(identifier.namespace))) throw noSuchNamespace(identifier.namespace);
    if ((await this.#store.find(identifier)) !== undefined) throw tableExists(identifier);
    const location = creation.location ?? (await this.#store.locationFor(identifier));
    const io = this.#open(location);
    const metadata = newTableMetadata({ ...creation, location });
    const staged = { metadata, metadataLocation: await writeNewMetadata(io, metadata) };
    try {
      await this.#store.insert(identifier, staged);
    } catch (error) {
      // Another process may have been first, or our entry may be in though the answer was lost.
      const found = await this.#store.find(identifier);
      if (found === undefined) throw error;
      if (found !== staged.metadataLocation) {
        await io.delete(staged.metadataLocation);
        throw tableExists(identifier);
      }
    }
    return this.#table(identifier, staged);
  }

  async commit(identifier: TableIdentifier, base: Table, changes: TableChanges): Promise<Table> {
    const staged = await stageMetadata(base, changes);
    if (!(await this.#swap(identifier, base.metadataLocation, staged))) {
      await base.io.delete(staged.metadataLocation).catch(() => undefined);
      throw changedByOther(identifier);
    }
    await removeForgotten(base.io, base.metadata, staged.metadata);
    return this.#table(identifier, staged);
  }

  async dropTable(identifier: TableIdentifier): Promise<void> {
    if (!(await this.#store.remove(identifier))) throw noSuchTable(identifier);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async #swap(identifier: TableIdentifier, from: string, staged: StagedMetadata): Promise<boolean> {
    try {
      return await this.#store.swap(identifier, from, staged);
    } catch (cause) {
      if (cause instanceof IcebergError && cause.code !== 'catalog_failed') throw cause;
      const message = `The catalog gave no answer to a commit of table "${formatIdentifier(identifier)}".`;
      throw new IcebergError('commit_state_unknown', message, { cause, metadataLocation: staged.metadataLocation });
    }
  }

  #table(identifier: TableIdentifier, staged: StagedMetadata): Table {
    const { location } = staged.metadata;
    const io = this.#open(staged.metadataLocation);
    return { identifier, ...staged, location, io, ioProperties: this.#ioProperties };
  }
}

async function renameTable(store: PointerStore, from: TableIdentifier, to: TableIdentifier): Promise<void> {
  if (!(await store.namespaceExists(to.namespace))) throw noSuchNamespace(to.namespace);
  if ((await store.find(to)) !== undefined) throw tableExists(to);
  if (!(await store.rename?.(from, to))) throw noSuchTable(from);
}
