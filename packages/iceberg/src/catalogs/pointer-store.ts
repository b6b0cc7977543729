import type { Namespace, TableIdentifier } from '../catalog.ts';
import type { TableMetadata } from '../table-metadata.ts';

/** A metadata file that is written and waits to become the current one. */
export interface StagedMetadata {
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
}

/** The part of a catalog that differs between databases and services: which metadata file is the current one of each table. */
export interface PointerStore extends AsyncDisposable {
  /** Creates a namespace; one that exists is no error. */
  createNamespace(namespace: Namespace): Promise<void>;
  namespaceExists(namespace: Namespace): Promise<boolean>;
  listTables(namespace: Namespace): Promise<TableIdentifier[]>;
  /** Where a table goes unless told. */
  locationFor(identifier: TableIdentifier): Promise<string>;
  /** The location of the table's current metadata file. */
  find(identifier: TableIdentifier): Promise<string | undefined>;
  /** Enters a new table. Throws anything if that failed or somebody was first: the caller looks. */
  insert(identifier: TableIdentifier, staged: StagedMetadata): Promise<void>;
  /**
   * The one atomic step of a commit: `staged` takes the place of the metadata file `from`; false if that is not the current one any
   * more. Throws IcebergErrors for a refusal, after which nothing has changed; `catalog_failed` and all other errors leave that open.
   */
  swap(identifier: TableIdentifier, from: string, staged: StagedMetadata): Promise<boolean>;
  /** Takes a table out; false if there is none. */
  remove(identifier: TableIdentifier): Promise<boolean>;
  /** Gives a table another name, which is free; false if there is no such table. */
  rename?(from: TableIdentifier, to: TableIdentifier): Promise<boolean>;
}
