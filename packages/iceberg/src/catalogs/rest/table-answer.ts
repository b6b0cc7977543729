import type { Table, TableIdentifier } from '../../catalog.ts';
import { IcebergError } from '../../errors.ts';
import { type FileIO, type FileIOProperties, openFileIO } from '../../file-io.ts';
import { credentialsFor } from '../../file-ios/vended-credentials.ts';
import { type TableMetadata, toTableMetadata } from '../../table-metadata.ts';
import type { Json } from './client.ts';
import { type RestServer, stringsOf } from './server-config.ts';

const CREDENTIALS_ENDPOINT = 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials';

/** Makes tables of a server's answers; tables that are reached by the same options share one storage. */
export class TableAnswers {
  readonly #server: RestServer;
  readonly #opened = new Map<string, FileIO>();

  constructor(server: RestServer) {
    this.#server = server;
  }

  /** The table of a LoadTableResult. */
  toTable(identifier: TableIdentifier, answer: Json, path: string): Table {
    const metadata = toTableMetadata(answer['metadata']);
    const ioProperties = this.#ioProperties(answer, metadata, path);
    const io = this.#open(metadata.location, ioProperties);
    return { identifier, ...withLocation(answer, metadata), location: metadata.location, io, ioProperties };
  }

  /** The table of a CommitTableResponse, reached as `base` was. */
  afterCommit(base: Table, answer: Json): Table {
    const metadata = toTableMetadata(answer['metadata']);
    return { ...base, ...withLocation(answer, metadata), location: metadata.location };
  }

  /** The options of the catalog, then the table's configuration, then the credentials that fit its location best. */
  #ioProperties(answer: Json, metadata: TableMetadata, path: string): FileIOProperties {
    const { io, client, options, has } = this.#server;
    const lent = credentialsFor(answer, metadata.location);
    const own = { ...io, ...stringsOf(answer['config']), ...lent };
    if (options.accessDelegation === 'none' || !isLent(stringsOf(answer['config']), lent)) return own;
    const suffix = has(CREDENTIALS_ENDPOINT) ? '/credentials' : '';
    return {
      ...own,
      'credentials.uri': `${client.uri}/${path}${suffix}`,
      'credentials.location': metadata.location,
      'credentials.catalog': JSON.stringify(options),
    };
  }

  #open(location: string, properties: FileIOProperties): FileIO {
    const key = JSON.stringify([location.split(':', 1)[0], properties]);
    const io = this.#opened.get(key) ?? openFileIO(location, properties);
    // Each load lends new credentials: those of before are not asked for again.
    if (!this.#opened.has(key)) this.#opened.clear();
    this.#opened.set(key, io);
    return io;
  }
}

/** Whether keys came with the table: only those can be fetched anew. */
function isLent(config: Readonly<Record<string, string>>, lent: Readonly<Record<string, string>>): boolean {
  const names = Object.keys({ ...config, ...lent });
  return names.some((name) => /^(s3\.session-token|gcs\.oauth2\.token|adls\.sas-token)/.test(name));
}

function withLocation(answer: Json, metadata: TableMetadata): { metadata: TableMetadata; metadataLocation: string } {
  const metadataLocation = answer['metadata-location'];
  if (typeof metadataLocation === 'string') return { metadata, metadataLocation };
  throw new IcebergError(
    'invalid_metadata',
    `The catalog gave no metadata location for the table at ${metadata.location}.`,
  );
}
