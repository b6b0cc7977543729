import type { GlueClientConfig, Table as GlueTable, TableInput } from '@aws-sdk/client-glue';
import type { Catalog, Namespace, TableIdentifier } from '../catalog.ts';
import { formatIdentifier } from '../catalog.ts';
import { IcebergError } from '../errors.ts';
import type { FileIOProperties } from '../file-io.ts';
import { defaultLocation } from '../location.ts';
import { importOptional } from '../optional-package.ts';
import { currentSchema } from '../table-metadata.ts';
import { hiveColumns } from './hive-type.ts';
import { createPointerCatalog } from './pointer-catalog.ts';
import type { PointerStore, StagedMetadata } from './pointer-store.ts';

/** Options of `openGlueCatalog`. Without keys AWS's own chain is asked for them. */
export interface GlueCatalogOptions {
  /** Where tables go unless told or their database says: `s3://bucket/prefix`. */
  readonly warehouse: string;
  readonly region?: string;
  /** URL of another server than AWS's. */
  readonly endpoint?: string;
  /** The account whose catalog it is: that of the keys unless said. */
  readonly catalogId?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** Storage options; see `openFileIO`. */
  readonly io?: FileIOProperties;
}

type Sdk = typeof import('@aws-sdk/client-glue');

/** Opens AWS Glue's Data Catalog, as Spark, Trino, Athena and PyIceberg do: a database is a namespace of one level. */
export async function openGlueCatalog(options: GlueCatalogOptions): Promise<Catalog> {
  const sdk = await importOptional(
    '@aws-sdk/client-glue',
    'a catalog in AWS Glue',
    () => import('@aws-sdk/client-glue'),
  );
  return createPointerCatalog(new GlueStore(sdk, options), options.io);
}

class GlueStore implements PointerStore {
  readonly #sdk: Sdk;
  readonly #client: InstanceType<Sdk['GlueClient']>;
  readonly #warehouse: string;
  readonly #account: { CatalogId?: string };

  constructor(sdk: Sdk, options: GlueCatalogOptions) {
    this.#sdk = sdk;
    this.#client = new sdk.GlueClient(clientConfig(options));
    this.#warehouse = options.warehouse;
    this.#account = options.catalogId === undefined ? {} : { CatalogId: options.catalogId };
  }

  async createNamespace(namespace: Namespace): Promise<void> {
    const DatabaseInput = { Name: databaseName(namespace) };
    const create = new this.#sdk.CreateDatabaseCommand({ ...this.#account, DatabaseInput });
    await this.#unless('AlreadyExistsException', `database "${DatabaseInput.Name}"`, () => this.#client.send(create));
  }

  async namespaceExists(namespace: Namespace): Promise<boolean> {
    return (await this.#database(namespace)) !== undefined;
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    const DatabaseName = databaseName(namespace);
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const get = new this.#sdk.GetTablesCommand({ ...this.#account, DatabaseName, NextToken });
      const what = `database "${DatabaseName}"`;
      const page = await this.#unless('EntityNotFoundException', what, () => this.#client.send(get));
      names.push(...(page?.TableList ?? []).filter(isIceberg).map(({ Name }) => Name ?? ''));
      NextToken = page?.NextToken;
    } while (NextToken !== undefined);
    return names.map((name) => ({ namespace, name }));
  }

  async locationFor(identifier: TableIdentifier): Promise<string> {
    const database = await this.#database(identifier.namespace);
    const folder = database?.LocationUri?.replace(/\/+$/, '');
    return folder ? `${folder}/${identifier.name}` : defaultLocation(this.#warehouse, identifier);
  }

  async find(identifier: TableIdentifier): Promise<string | undefined> {
    const table = await this.#get(identifier);
    return table && isIceberg(table) ? table.Parameters?.['metadata_location'] : undefined;
  }

  async insert(identifier: TableIdentifier, staged: StagedMetadata): Promise<void> {
    const DatabaseName = databaseName(identifier.namespace);
    const Parameters = { table_type: 'ICEBERG', metadata_location: staged.metadataLocation };
    const TableInput = {
      Name: identifier.name,
      TableType: 'EXTERNAL_TABLE',
      Parameters,
      StorageDescriptor: storageDescriptor(staged),
    };
    await this.#client.send(new this.#sdk.CreateTableCommand({ ...this.#account, DatabaseName, TableInput }));
  }

  async swap(identifier: TableIdentifier, from: string, staged: StagedMetadata): Promise<boolean> {
    const table = await this.#get(identifier);
    if (table?.Parameters?.['metadata_location'] !== from) return false;
    const update = new this.#sdk.UpdateTableCommand({
      ...this.#account,
      DatabaseName: databaseName(identifier.namespace),
      TableInput: nextInput(table, from, staged),
      // An old version of each commit would soon reach Glue's limit for them.
      SkipArchive: true,
      ...(table.VersionId !== undefined && { VersionId: table.VersionId }),
    });
    try {
      await this.#client.send(update);
      return true;
    } catch (error) {
      const name = nameOf(error);
      if (name === 'ConcurrentModificationException' || name === 'EntityNotFoundException') {
        // The SDK may have tried twice: then this may be the conflict with our own first try.
        return (await this.find(identifier)) === staged.metadataLocation;
      }
      throw REFUSALS.has(name) ? refused(identifier, error) : error;
    }
  }

  async remove(identifier: TableIdentifier): Promise<boolean> {
    const table = await this.#get(identifier);
    if (!table || !isIceberg(table)) return false;
    const DatabaseName = databaseName(identifier.namespace);
    const request = new this.#sdk.DeleteTableCommand({ ...this.#account, DatabaseName, Name: identifier.name });
    await this.#unless('EntityNotFoundException', `table "${formatIdentifier(identifier)}"`, () =>
      this.#client.send(request),
    );
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  async #database(namespace: Namespace) {
    const Name = databaseName(namespace);
    const get = new this.#sdk.GetDatabaseCommand({ ...this.#account, Name });
    const answer = await this.#unless('EntityNotFoundException', `database "${Name}"`, () => this.#client.send(get));
    return answer?.Database;
  }

  async #get(identifier: TableIdentifier): Promise<GlueTable | undefined> {
    const DatabaseName = databaseName(identifier.namespace);
    const get = new this.#sdk.GetTableCommand({ ...this.#account, DatabaseName, Name: identifier.name });
    const what = `table "${formatIdentifier(identifier)}"`;
    return (await this.#unless('EntityNotFoundException', what, () => this.#client.send(get)))?.Table;
  }

  /** Makes a call; undefined if it ends with the exception named. */
  async #unless<T>(exception: string, what: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (cause) {
      const name = nameOf(cause);
      if (name === exception) return undefined;
      const code = REFUSALS.has(name) ? 'catalog_refused' : 'catalog_failed';
      throw new IcebergError(code, `Glue could not use ${what} (${name}).`, { cause });
    }
  }
}

/** After these everything is as it was. */
const REFUSALS = new Set([
  'AccessDeniedException',
  'InvalidInputException',
  'InvalidSignatureException',
  'ResourceNumberLimitExceededException',
  'UnrecognizedClientException',
]);

function refused(identifier: TableIdentifier, cause: unknown): IcebergError {
  const message = `Glue refused a commit of table "${formatIdentifier(identifier)}" (${nameOf(cause)}).`;
  return new IcebergError('catalog_refused', message, { cause });
}

function clientConfig({
  region,
  endpoint,
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: GlueCatalogOptions): GlueClientConfig {
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(hasKeys && {
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    }),
  };
}

function databaseName(namespace: Namespace): string {
  const [name, ...deeper] = namespace;
  if (name !== undefined && deeper.length === 0) return name;
  throw new IcebergError('invalid_argument', `Glue has namespaces of one level; "${namespace.join('.')}" is none.`);
}

function isIceberg({ Parameters }: GlueTable): boolean {
  return Parameters?.['table_type']?.toUpperCase() === 'ICEBERG';
}

/** What others have set stays. */
function nextInput(table: GlueTable, from: string, staged: StagedMetadata): TableInput {
  const { Name, Description, Owner, Retention, PartitionKeys, TableType } = table;
  return {
    Name,
    ...(Description !== undefined && { Description }),
    ...(Owner !== undefined && { Owner }),
    ...(Retention !== undefined && { Retention }),
    ...(PartitionKeys !== undefined && { PartitionKeys }),
    TableType: TableType ?? 'EXTERNAL_TABLE',
    Parameters: {
      ...table.Parameters,
      table_type: 'ICEBERG',
      metadata_location: staged.metadataLocation,
      previous_metadata_location: from,
    },
    StorageDescriptor: { ...table.StorageDescriptor, ...storageDescriptor(staged) },
  };
}

function storageDescriptor({ metadata }: StagedMetadata) {
  const Columns = hiveColumns(currentSchema(metadata)).map(({ name, type, comment, fieldId, isOptional }) => ({
    Name: name,
    Type: type.replaceAll('timestamp with local time zone', 'timestamp'),
    ...(comment !== undefined && { Comment: comment.slice(0, MAX_COMMENT) }),
    Parameters: {
      'iceberg.field.id': String(fieldId),
      'iceberg.field.optional': String(isOptional),
      'iceberg.field.current': 'true',
    },
  }));
  return { Location: metadata.location, Columns };
}

/** Glue's limit. */
const MAX_COMMENT = 255;

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}
