import { randomUUID } from 'node:crypto';
import type {
  Catalog,
  Namespace,
  Table,
  TableChanges,
  TableCommit,
  TableCreation,
  TableIdentifier,
} from '../catalog.ts';
import { formatIdentifier } from '../catalog.ts';
import { IcebergError } from '../errors.ts';
import { newTableMetadata } from '../table-metadata.ts';
import { changedByOther, noSuchNamespace, noSuchTable, tableExists } from './pointer-catalog.ts';
import { type Json, type RestCall, RestFailure, restError } from './rest/client.ts';
import { makeExclusive } from './rest/exclusive-commit.ts';
import type { RestCatalogOptions } from './rest/options.ts';
import { type RestServer, openRestServer } from './rest/server-config.ts';
import { TableAnswers } from './rest/table-answer.ts';

export type { RestCatalogOptions, SigV4Options } from './rest/options.ts';

const CREDENTIALS_DELEGATION = { 'x-iceberg-access-delegation': 'vended-credentials' };
const TRANSACTIONS = 'POST /v1/{prefix}/transactions/commit';
const PAGE_SIZE = '1000';

/** Opens a catalog that speaks Iceberg's REST protocol. Throws `catalog_failed` if the server cannot be reached or refuses. */
export async function openRestCatalog(options: RestCatalogOptions): Promise<Catalog> {
  const server = await openRestServer(options);
  const catalog = new RestCatalog(server);
  if (!server.has(TRANSACTIONS)) return catalog;
  return Object.assign(catalog, {
    commitTogether: (commits: readonly TableCommit[]) => catalog.commitTransaction(commits),
  });
}

class RestCatalog implements Catalog {
  readonly #server: RestServer;
  readonly #answers: TableAnswers;

  constructor(server: RestServer) {
    this.#server = server;
    this.#answers = new TableAnswers(server);
  }

  async createNamespace(namespace: Namespace): Promise<void> {
    if (await this.namespaceExists(namespace)) return;
    // Some servers refuse a namespace whose parent they do not know.
    if (namespace.length > 1) await this.createNamespace(namespace.slice(0, -1));
    try {
      await this.#call({ method: 'POST', path: this.#path(), body: { namespace, properties: {} } });
    } catch (error) {
      // Another process may have been first, or the answer to ours was lost.
      if (!(await this.namespaceExists(namespace))) throw failed(error);
    }
  }

  async namespaceExists(namespace: Namespace): Promise<boolean> {
    return (await this.#find({ method: 'GET', path: this.#path(namespace) })) !== undefined;
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    const tables: TableIdentifier[] = [];
    let pageToken: unknown = '';
    do {
      const query = { pageToken: String(pageToken), pageSize: PAGE_SIZE };
      const page = await this.#find({ method: 'GET', path: `${this.#path(namespace)}/tables`, query });
      const names = Array.isArray(page?.['identifiers'])
        ? page['identifiers'].map((found: Json) => String(found['name']))
        : [];
      tables.push(...names.map((name) => ({ namespace, name })));
      pageToken = page?.['next-page-token'];
    } while (typeof pageToken === 'string' && pageToken !== '');
    return tables;
  }

  async loadTable(identifier: TableIdentifier): Promise<Table | undefined> {
    const answer = await this.#find({ method: 'GET', path: this.#tablePath(identifier), headers: this.#delegation() });
    return answer && this.#answers.toTable(identifier, answer, this.#tablePath(identifier));
  }

  async createTable(identifier: TableIdentifier, creation: TableCreation): Promise<Table> {
    // Some servers make the namespace as well.
    if (!(await this.namespaceExists(identifier.namespace))) throw noSuchNamespace(identifier.namespace);
    const path = `${this.#path(identifier.namespace)}/tables`;
    // Checks the schema, and says which format version a table gets unless told.
    const { 'format-version': formatVersion } = newTableMetadata({ location: '', ...creation });
    const body = {
      name: identifier.name,
      ...(creation.location !== undefined && { location: creation.location }),
      schema: creation.schema,
      ...(creation.partitionSpec && { 'partition-spec': creation.partitionSpec }),
      ...(creation.sortOrder && { 'write-order': creation.sortOrder }),
      'stage-create': false,
      properties: { 'format-version': String(formatVersion), ...creation.properties },
    };
    try {
      const answer = await this.#call({ method: 'POST', path, body, headers: this.#delegation() });
      return this.#answers.toTable(identifier, answer, this.#tablePath(identifier));
    } catch (error) {
      if (!(error instanceof RestFailure)) throw error;
      if (error.status === 404) throw noSuchNamespace(identifier.namespace);
      if (error.status === 409 && !error.isDoubtful) throw tableExists(identifier);
      throw await this.#createdInDoubt(identifier, error);
    }
  }

  async commit(identifier: TableIdentifier, base: Table, changes: TableChanges): Promise<Table> {
    const { updates, requirements, written, outdated } = await makeExclusive(base, changes);
    const path = this.#tablePath(identifier);
    const body = { identifier, requirements, updates };
    try {
      const answer = await this.#call({ method: 'POST', path, body, headers: this.#idempotencyKey() });
      await Promise.allSettled(outdated.map((location) => base.io.delete(location)));
      return this.#answers.afterCommit(base, answer);
    } catch (error) {
      const failure = commitFailure(identifier, error);
      if (failure.code !== 'commit_state_unknown') {
        await Promise.allSettled(written.map((location) => base.io.delete(location)));
      }
      throw failure;
    }
  }

  /** See `commitTogether` of Catalog. */
  async commitTransaction(commits: readonly TableCommit[]): Promise<void> {
    const parts = await Promise.all(
      commits.map(async (commit) => ({ ...commit, made: await makeExclusive(commit.base, commit.changes) })),
    );
    const [first] = parts;
    if (!first) return;
    const tableChanges = parts.map(({ identifier, made: { requirements, updates } }) => ({
      identifier,
      requirements,
      updates,
    }));
    const deleteAll = (which: 'written' | 'outdated') =>
      Promise.allSettled(parts.flatMap(({ base, made }) => made[which].map((location) => base.io.delete(location))));
    try {
      const path = `${this.#server.base}/transactions/commit`;
      await this.#call({
        method: 'POST',
        path,
        body: { 'table-changes': tableChanges },
        headers: this.#idempotencyKey(),
      });
      await deleteAll('outdated');
    } catch (error) {
      const failure = commitFailure(first.identifier, error);
      if (failure.code !== 'commit_state_unknown') await deleteAll('written');
      throw failure;
    }
  }

  async dropTable(identifier: TableIdentifier): Promise<void> {
    const query = { purgeRequested: 'false' };
    try {
      await this.#call({ method: 'DELETE', path: this.#tablePath(identifier), query });
    } catch (error) {
      if (!(error instanceof RestFailure && error.status === 404)) throw failed(error);
      // Not there after an attempt without an answer: that attempt has dropped it.
      if (!error.isDoubtful) throw noSuchTable(identifier);
    }
  }

  async renameTable(source: TableIdentifier, destination: TableIdentifier): Promise<void> {
    try {
      await this.#call({ method: 'POST', path: `${this.#server.base}/tables/rename`, body: { source, destination } });
    } catch (error) {
      if (!(error instanceof RestFailure)) throw error;
      if (error.status === 404 && error.type === 'NoSuchNamespaceException')
        throw noSuchNamespace(destination.namespace);
      if (error.status === 404) throw noSuchTable(source);
      if (error.status === 409) throw tableExists(destination);
      throw failed(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #createdInDoubt(identifier: TableIdentifier, error: RestFailure): Promise<IcebergError> {
    const isThere = await this.loadTable(identifier).catch(() => undefined);
    return isThere ? tableExists(identifier) : failed(error);
  }

  #call(call: RestCall): Promise<Json> {
    const isRepeatable = call.headers?.['idempotency-key'] !== undefined;
    return this.#server.client.call({ ...call, ...(isRepeatable && { isRepeatable }) });
  }

  /** Calls, and turns "not found" into undefined. */
  async #find(call: RestCall): Promise<Json | undefined> {
    try {
      return await this.#call(call);
    } catch (error) {
      if (error instanceof RestFailure && error.status === 404) return undefined;
      throw failed(error);
    }
  }

  #path(namespace?: Namespace): string {
    const { base, separator } = this.#server;
    if (!namespace) return `${base}/namespaces`;
    if (namespace.length === 0) throw new IcebergError('invalid_argument', 'A namespace needs at least one level.');
    return `${base}/namespaces/${namespace.map(encodeURIComponent).join(separator)}`;
  }

  #tablePath({ namespace, name }: TableIdentifier): string {
    return `${this.#path(namespace)}/tables/${encodeURIComponent(name)}`;
  }

  #delegation(): Record<string, string> {
    return this.#server.options.accessDelegation === 'none' ? {} : CREDENTIALS_DELEGATION;
  }

  #idempotencyKey(): Record<string, string> {
    return this.#server.hasIdempotencyKeys ? { 'idempotency-key': randomUUID() } : {};
  }
}

/** What a failed commit means (REST spec: updateTable): after 409 nothing was changed, after 5xx or no answer nobody knows. */
function commitFailure(identifier: TableIdentifier, error: unknown): IcebergError {
  if (!(error instanceof RestFailure)) return failed(error);
  // A conflict after an attempt without an answer may be the conflict with that very attempt.
  if (error.isDoubtful) {
    const message = `The catalog gave no answer to a commit of table "${formatIdentifier(identifier)}".`;
    return new IcebergError('commit_state_unknown', message, { cause: error });
  }
  if (error.status === 409) return changedByOther(identifier, error);
  if (error.status === 404) return noSuchTable(identifier);
  return failed(error);
}

function failed(error: unknown): IcebergError {
  if (error instanceof IcebergError) return error;
  if (error instanceof RestFailure) return restError(error);
  return new IcebergError('catalog_failed', 'The catalog failed.', { cause: error });
}
