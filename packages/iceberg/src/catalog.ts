import type { FileIO, FileIOProperties } from './file-io.ts';
import type { PartitionSpec } from './partition-spec.ts';
import type { Schema } from './schema.ts';
import type { SortOrder } from './sort-order.ts';
import type { TableMetadata } from './table-metadata.ts';
import type { TableRequirement } from './table-requirement.ts';
import type { TableUpdate } from './table-update.ts';

/** A namespace by its levels, outermost first. */
export type Namespace = readonly string[];

/** A table's name within a namespace. Any characters are allowed. */
export interface TableIdentifier {
  readonly namespace: Namespace;
  readonly name: string;
}

/** A table as it was when loaded: later commits do not change this object. */
export interface Table {
  readonly identifier: TableIdentifier;
  readonly metadata: TableMetadata;
  /** The metadata file that `metadata` was read from. */
  readonly metadataLocation: string;
  /** The folder that new files go into. */
  readonly location: string;
  readonly io: FileIO;
  /** What `io` was opened with: `openFileIO(location, ioProperties)` opens the same storage in another thread. */
  readonly ioProperties: FileIOProperties;
}

/** What `createTable` needs; the catalog chooses the location unless one is given. */
export interface TableCreation {
  readonly schema: Schema;
  readonly partitionSpec?: PartitionSpec;
  readonly sortOrder?: SortOrder;
  readonly properties?: Readonly<Record<string, string>>;
  readonly location?: string;
}

/** Changes to commit, and what must hold for them. */
export interface TableChanges {
  readonly updates: readonly TableUpdate[];
  readonly requirements: readonly TableRequirement[];
}

/** Where tables are found by name and committed atomically. */
export interface Catalog extends AsyncDisposable {
  /** Creates a namespace; one that exists is no error. */
  createNamespace(namespace: Namespace): Promise<void>;
  namespaceExists(namespace: Namespace): Promise<boolean>;
  /** The tables directly in a namespace. */
  listTables(namespace: Namespace): Promise<TableIdentifier[]>;
  /** The table as it is now, or undefined. */
  loadTable(identifier: TableIdentifier): Promise<Table | undefined>;
  /** Creates an empty table. Throws `table_exists` or `no_such_namespace`. */
  createTable(identifier: TableIdentifier, creation: TableCreation): Promise<Table>;
  /**
   * Commits changes on top of `base`, all or nothing. Throws `commit_conflict` if the table is no longer `base` or a requirement
   * fails, and `commit_state_unknown` if there was no answer. `commitTable` retries both.
   */
  commit(identifier: TableIdentifier, base: Table, changes: TableChanges): Promise<Table>;
  /** Takes a table out of the catalog and leaves its files. Throws `no_such_table`. */
  dropTable(identifier: TableIdentifier): Promise<void>;
  /** Gives a table another name; its files stay where they are. Absent where the catalog cannot. Throws `no_such_table` or `table_exists`. */
  renameTable?(from: TableIdentifier, to: TableIdentifier): Promise<void>;
  /**
   * Commits to several tables, all or nothing, with the errors of `commit`. Absent where the catalog cannot. The tables are to be
   * loaded again afterwards.
   */
  commitTogether?(commits: readonly TableCommit[]): Promise<void>;
}

/** One table's part of a commit to several. */
export interface TableCommit {
  readonly identifier: TableIdentifier;
  readonly base: Table;
  readonly changes: TableChanges;
}

/** A table's full name for messages. */
export function formatIdentifier(identifier: TableIdentifier): string {
  return [...identifier.namespace, identifier.name].join('.');
}
