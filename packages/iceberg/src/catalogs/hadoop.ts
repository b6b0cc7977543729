import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import {
  type Catalog,
  type Namespace,
  type Table,
  type TableChanges,
  type TableCreation,
  type TableIdentifier,
  formatIdentifier,
} from '../catalog.ts';
import { IcebergError, isIcebergError } from '../errors.ts';
import { type FileIO, type FileIOProperties, openFileIO } from '../file-io.ts';
import { localLocation } from '../location.ts';
import { nextMetadata, removeForgotten } from '../metadata-file.ts';
import { type TableMetadata, newTableMetadata, parseTableMetadata, serializeTableMetadata } from '../table-metadata.ts';
import { changedByOther, noSuchNamespace, noSuchTable, tableExists } from './pointer-catalog.ts';

/** Options of `openHadoopCatalog`. */
export interface HadoopCatalogOptions {
  /** The folder of all tables: an absolute path, `file:///…`, `s3://bucket/prefix`, or any other location of `openFileIO`. */
  readonly warehouse: string;
  /** Storage options; see `openFileIO`. */
  readonly io?: FileIOProperties;
}

/** An empty file that keeps a namespace without tables: object stores have no folders. */
const NAMESPACE_FILE = '.namespace';

const HINT = 'version-hint.text';

/**
 * Opens a folder of tables in the layout of Iceberg's HadoopCatalog: `warehouse/namespace/table/metadata/v12.metadata.json`, the highest
 * number being the table. A commit makes the next number if nobody else has: by a link on local disk, by If-None-Match on an object store.
 */
export async function openHadoopCatalog(options: HadoopCatalogOptions): Promise<Catalog> {
  return new HadoopCatalog(options);
}

class HadoopCatalog implements Catalog {
  readonly #warehouse: string;
  readonly #ioProperties: FileIOProperties;
  readonly #io: FileIO;

  constructor({ warehouse, io = {} }: HadoopCatalogOptions) {
    this.#warehouse = (warehouse.startsWith('/') ? localLocation(warehouse) : warehouse).replace(/\/+$/, '');
    this.#ioProperties = io;
    this.#io = openFileIO(this.#warehouse, io);
  }

  async createNamespace(namespace: Namespace): Promise<void> {
    if (await this.namespaceExists(namespace)) return;
    await this.#io.write(`${this.#folder(namespace)}/${NAMESPACE_FILE}`, new Uint8Array());
  }

  async namespaceExists(namespace: Namespace): Promise<boolean> {
    for await (const _file of this.#io.list(this.#folder(namespace))) return true;
    return false;
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    const folder = `${this.#folder(namespace)}/`;
    const names = new Set<string>();
    for await (const { location } of this.#io.list(folder)) {
      const [name = '', metadata, file = '', ...deeper] = location.slice(folder.length).split('/');
      if (metadata === 'metadata' && deeper.length === 0 && versionOf(file) !== undefined) names.add(name);
    }
    return [...names].toSorted().map((name) => ({ namespace, name }));
  }

  async loadTable(identifier: TableIdentifier): Promise<Table | undefined> {
    const folder = this.#metadataFolder(identifier);
    const version = await this.#currentVersion(folder);
    if (version === undefined) return undefined;
    const metadataLocation = await this.#fileOf(folder, version);
    if (metadataLocation === undefined) return undefined;
    const bytes = await this.#io.read(metadataLocation);
    const text = Buffer.from(metadataLocation.includes('.gz.') ? gunzipSync(bytes) : bytes).toString('utf8');
    return this.#table(identifier, parseTableMetadata(text), metadataLocation);
  }

  async createTable(identifier: TableIdentifier, creation: TableCreation): Promise<Table> {
    if (!(await this.namespaceExists(identifier.namespace))) throw noSuchNamespace(identifier.namespace);
    const location = this.#tableFolder(identifier);
    if (creation.location !== undefined && creation.location.replace(/\/+$/, '') !== location) {
      throw new IcebergError(
        'invalid_argument',
        `A table of a folder catalog has its place, ${location}, and no other.`,
      );
    }
    const folder = this.#metadataFolder(identifier);
    if ((await this.#currentVersion(folder)) !== undefined) throw tableExists(identifier);
    const metadata = newTableMetadata({ ...creation, location });
    const metadataLocation = fileName(folder, 1);
    if (!(await this.#writeOnce(metadataLocation, metadata))) throw tableExists(identifier);
    await this.#writeHint(folder, 1);
    return this.#table(identifier, metadata, metadataLocation);
  }

  async commit(identifier: TableIdentifier, base: Table, changes: TableChanges): Promise<Table> {
    const folder = this.#metadataFolder(identifier);
    const from = versionOf(base.metadataLocation.slice(folder.length + 1));
    const current = await this.loadTable(identifier);
    // A table that was dropped and made anew may have reached the same number.
    const isSame = current?.metadata['table-uuid'] === base.metadata['table-uuid'];
    if (from === undefined || !isSame || current.metadataLocation !== base.metadataLocation) {
      throw changedByOther(identifier);
    }
    const metadata = nextMetadata(base, changes);
    const metadataLocation = fileName(folder, from + 1);
    if (!(await this.#tryCommit(identifier, metadataLocation, metadata))) throw changedByOther(identifier);
    await this.#writeHint(folder, from + 1);
    await removeForgotten(this.#io, base.metadata, metadata);
    return this.#table(identifier, metadata, metadataLocation);
  }

  /** Here the metadata files are the catalog: they go, data files and manifests stay. */
  async dropTable(identifier: TableIdentifier): Promise<void> {
    const folder = this.#metadataFolder(identifier);
    const versions = await this.#versions(folder);
    if (versions.size === 0) throw noSuchTable(identifier);
    await this.#io.delete(`${folder}/${HINT}`);
    // The newest goes last: who is interrupted leaves the table as it was, not as it once was.
    const inOrder = [...versions].toSorted(([a], [b]) => a - b);
    for (const [, location] of inOrder) await this.#io.delete(location);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #tryCommit(identifier: TableIdentifier, location: string, metadata: TableMetadata): Promise<boolean> {
    try {
      return await this.#writeOnce(location, metadata);
    } catch (cause) {
      if (!isIcebergError(cause, 'storage_failed')) throw cause;
      const message = `The storage gave no answer to a commit of table "${formatIdentifier(identifier)}".`;
      throw new IcebergError('commit_state_unknown', message, { cause, metadataLocation: location });
    }
  }

  /** A client that tries again after a lost answer finds its own file, mark and all: then it was written. */
  async #writeOnce(location: string, metadata: TableMetadata): Promise<boolean> {
    const bytes = Buffer.from(`${serializeTableMetadata(metadata)}\n${newMark()}`);
    return (await this.#io.writeNew(location, bytes)) || bytes.equals(await this.#io.read(location));
  }

  /** The hint only saves a listing: readers look for higher numbers from there. */
  async #writeHint(folder: string, version: number): Promise<void> {
    await this.#io.write(`${folder}/${HINT}`, Buffer.from(String(version))).catch(() => undefined);
  }

  async #currentVersion(folder: string): Promise<number | undefined> {
    let version = await this.#hintedVersion(folder);
    if (version === undefined || (await this.#fileOf(folder, version)) === undefined) {
      const versions = await this.#versions(folder);
      return versions.size === 0 ? undefined : Math.max(...versions.keys());
    }
    while ((await this.#fileOf(folder, version + 1)) !== undefined) version++;
    return version;
  }

  async #hintedVersion(folder: string): Promise<number | undefined> {
    try {
      const text = Buffer.from(await this.#io.read(`${folder}/${HINT}`))
        .toString('utf8')
        .trim();
      return /^\d+$/.test(text) ? Number(text) : undefined;
    } catch (error) {
      if (isIcebergError(error, 'file_not_found')) return undefined;
      throw error;
    }
  }

  async #versions(folder: string): Promise<Map<number, string>> {
    const versions = new Map<number, string>();
    for await (const { location } of this.#io.list(folder)) {
      const version = versionOf(location.slice(folder.length + 1));
      if (version !== undefined) versions.set(version, location);
    }
    return versions;
  }

  async #fileOf(folder: string, version: number): Promise<string | undefined> {
    for (const location of [fileName(folder, version), `${folder}/v${version}.gz.metadata.json`]) {
      if (await this.#io.exists(location)) return location;
    }
    return undefined;
  }

  #folder(namespace: Namespace): string {
    if (namespace.length === 0) throw new IcebergError('invalid_argument', 'A namespace needs at least one level.');
    return [this.#warehouse, ...namespace.map(pathSegment)].join('/');
  }

  #tableFolder({ namespace, name }: TableIdentifier): string {
    return `${this.#folder(namespace)}/${pathSegment(name)}`;
  }

  #metadataFolder(identifier: TableIdentifier): string {
    return `${this.#tableFolder(identifier)}/metadata`;
  }

  #table(identifier: TableIdentifier, metadata: TableMetadata, metadataLocation: string): Table {
    const { location } = metadata;
    return { identifier, metadata, metadataLocation, location, io: this.#io, ioProperties: this.#ioProperties };
  }
}

/** 64 random bits as blanks and tabs, which JSON allows at its end: two writers who make the same change at the same moment tell their files apart. */
function newMark(): string {
  const bits = Array.from(randomBytes(8), (byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replaceAll('0', ' ').replaceAll('1', '\t');
}

function fileName(folder: string, version: number): string {
  return `${folder}/v${version}.metadata.json`;
}

function versionOf(fileInMetadata: string): number | undefined {
  const digits = /^v(\d+)(?:\.gz)?\.metadata\.json$/.exec(fileInMetadata)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Names are folders, as they are: readers make the path of the name. */
function pathSegment(name: string): string {
  if (name !== '' && !/[/\\:]|^[._]|^\s|\s$/.test(name)) return name;
  throw new IcebergError(
    'invalid_argument',
    `"${name}" cannot be a folder's name for all readers: it has a slash, a colon, or begins with a dot or an underscore.`,
  );
}
