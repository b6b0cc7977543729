import { type Column, ConnectorError, type Message, type RunContext, type SelectedStream } from '@fjord/core';
import {
  type BuiltChanges,
  type Catalog,
  commitTable,
  currentSchema,
  type DataFile,
  type Removal,
  stageBranchRemoval,
  stageSnapshot,
  stageSwap,
  type Table,
  type TableBuild,
  type TableChanges,
  type TableIdentifier,
} from '@fjord/iceberg';
import { columnsPropertyName, findPlaces, parseColumnNames } from './column-names.ts';
import { isFileOf } from './file-layout.ts';
import { fenced, type Marker } from './marker.ts';
import type { ParquetFolder } from './parquet-folder.ts';
import { parseStreamProperty, stagingBranch, statePropertyName, type StreamProperty } from './pipeline-state.ts';
import { layoutChanges, newTable } from './table-layout.ts';

/** What one commit puts into the table. `staged`: the rows wait on the pipeline's branch; `swap`: the branch's rows and these replace the table's. */
export type StreamCommit = {
  files: DataFile[];
  state: unknown;
  generation: number;
  target: 'main' | 'staged' | 'swap';
  /** The table as last seen, which saves loading it. */
  base?: Table | undefined;
  /** What the commit adds and removes besides, found in the table as it is; asked again after each conflict. Only for `main`. */
  stage?: ((table: Table) => Promise<StagedRows>) | undefined;
};

/** Makes a commit; gives the table after it. */
export type Publish = (build: TableBuild) => Promise<Table>;

/** Files that a commit adds, and what it takes away; `written` is of no use if the commit fails. */
export type StagedRows = { append: DataFile[]; remove: Removal | undefined; written: string[] };

type StreamTableParts = {
  catalog: Catalog;
  marker: Marker;
  pipeline: string;
  selected: SelectedStream;
  /** Where plain files are put once they are committed, for `format: parquet`. */
  folder: ParquetFolder | undefined;
  /** Properties of new tables, unless the stream says otherwise. */
  properties: Record<string, string>;
  context: Pick<RunContext, 'log' | 'trace'>;
};

/** The table of one stream: made or evolved when needed, and committed to together with the stream's state, by this attempt only. */
export class StreamTable {
  readonly #parts: StreamTableParts;
  readonly #identifier: TableIdentifier;
  readonly #propertyName: string;
  /** The property's text as this attempt last read or wrote it: every commit requires it unchanged (rule 10). */
  #seen: string | undefined;
  #adopted = false;
  #isLaidOut = false;
  /** The table as it was read, or laid out last. */
  #known: Table | undefined;
  #newest: Table | undefined;

  constructor(parts: StreamTableParts) {
    this.#parts = parts;
    this.#identifier = parts.selected.target;
    this.#propertyName = statePropertyName(parts.pipeline, parts.selected.stream);
  }

  get #name(): string {
    return [...this.#identifier.namespace, this.#identifier.name].join('.');
  }

  /** The table after this attempt's last commit; undefined before the first. */
  get newest(): Table | undefined {
    return this.#newest;
  }

  /** Reads what the table holds of this stream; undefined when there is no table or it has nothing of this pipeline. */
  async read(): Promise<StreamProperty | undefined> {
    const table = await this.#parts.catalog.loadTable(this.#identifier);
    this.#known = table;
    // A run that was cut off after its commit has left this to do.
    if (table) await this.#parts.folder?.settle(table, () => this.load());
    this.#seen = table?.metadata.properties[this.#propertyName];
    const property = parseStreamProperty(this.#seen);
    this.#adopted = property?.adopted ?? false;
    return property;
  }

  /** The table as it is now. */
  async load(): Promise<Table> {
    const table = await this.#parts.catalog.loadTable(this.#identifier);
    if (table) return table;
    throw new ConnectorError('storage_failed', `Table ${this.#name} is gone.`, { stream: this.#parts.selected.stream });
  }

  /** A version of the stream's columns under the names that the table has for them. */
  place({ columns, primaryKey, ...schema }: Message<'SCHEMA'>): Message<'SCHEMA'> {
    const { selected, pipeline } = this.#parts;
    if (!this.#known || selected.onRename === 'new-column') return { ...schema, columns, primaryKey };
    const { metadata } = this.#known;
    const names = parseColumnNames(metadata.properties[columnsPropertyName(pipeline, selected.stream)]);
    const places = findPlaces(currentSchema(metadata), columns, names);
    const nameOf = (name: string) => places.get(name) ?? name;
    return {
      ...schema,
      columns: columns.map((column) => ({ ...column, name: nameOf(column.name) })),
      primaryKey: primaryKey.map(nameOf),
    };
  }

  /** The table with a place for every column, made or evolved if need be. Refuses tables that hold rows of others (rule 11). */
  async ensure(columns: Column[], primaryKey: string[]): Promise<Table> {
    const found = await this.#parts.catalog.loadTable(this.#identifier);
    const table = found ?? (await this.#create(columns, primaryKey));
    if (found) this.#checkOwner(found);
    const { selected, pipeline, properties, catalog } = this.#parts;
    // Columns that partition or sort a table may be renamed while it is written to: their places are taken once.
    const { partition: _, sort: __, ...rest } = selected;
    const layout = { columns, selected: this.#isLaidOut ? rest : selected, pipeline, properties };
    const changes = layoutChanges(table, layout);
    const laidOut = changes
      ? await commitTable(catalog, this.#identifier, (fresh) => layoutChanges(fresh, layout))
      : table;
    this.#isLaidOut = true;
    this.#known = laidOut;
    if (changes) this.#tellChanges(changes);
    return laidOut;
  }

  #tellChanges({ updates }: TableChanges): void {
    const { context, selected } = this.#parts;
    const actions = [...new Set(updates.map(({ action }) => action))];
    context.log('info', 'the table was changed', { stream: selected.stream, table: this.#name, actions });
  }

  /**
   * Commits files and state in one metadata commit. `fenced` or `commit_conflict` if another attempt has written meanwhile. `publish` makes the
   * commit, by itself or together with those of other tables.
   */
  async commit(commit: StreamCommit, publish: Publish = (build) => this.#publish(build)): Promise<void> {
    const { context, selected } = this.#parts;
    const { stream } = selected;
    using span = context.trace?.('commit', {
      stream,
      table: this.#name,
      target: commit.target,
      files: commit.files.length,
    });
    try {
      await this.#commit(commit, publish);
    } catch (thrown) {
      span?.fail(thrown);
      throw thrown;
    }
  }

  async #commit(commit: StreamCommit, publish: Publish): Promise<void> {
    const attempt = await this.#parts.marker.claim();
    const { state } = commit;
    const property: StreamProperty = {
      attempt,
      ...(this.#adopted && { adopted: true as const }),
      state,
    };
    const text = JSON.stringify(property);
    const build = async (table: Table) => {
      const found = table.metadata.properties[this.#propertyName];
      // A commit whose answer was lost is found here: it must not be made twice.
      if (found === text && found !== this.#seen) return undefined;
      await this.#parts.marker.check();
      this.#requireUnchanged(found, attempt);
      return this.#stage(table, commit, { [this.#propertyName]: text });
    };
    const committed = await publish({ identifier: this.#identifier, build, base: commit.base });
    this.#newest = committed;
    this.#seen = text;
    await this.#fillFolder(committed, commit);
  }

  async #fillFolder(table: Table, { target, stage, files }: StreamCommit): Promise<void> {
    const { folder } = this.#parts;
    if (!folder || target === 'staged') return;
    if (target === 'main' && !stage) await folder.add(table, files);
    else await folder.settle(table, () => this.load());
  }

  #publish({ identifier, build, base }: TableBuild): Promise<Table> {
    return commitTable(this.#parts.catalog, identifier, build, { base });
  }

  async #stage(table: Table, commit: StreamCommit, properties: Record<string, string>): Promise<BuiltChanges> {
    const { files: append, target, generation } = commit;
    const { pipeline } = this.#parts;
    const summary = { 'fjord.pipeline': pipeline };
    const branch = stagingBranch(pipeline, generation);
    switch (target) {
      case 'swap':
        return stageSwap(table, { branch, append, remove: this.#removal(table), summary, properties });
      case 'staged':
        return withoutStale(table, branch, await stageSnapshot(table, { append, branch, summary, properties }));
      case 'main': {
        const staged = await commit.stage?.(table);
        const all = [...append, ...(staged?.append ?? [])];
        const changes = await stageSnapshot(table, { append: all, remove: staged?.remove, summary, properties });
        return { ...changes, written: [...changes.written, ...(staged?.written ?? [])] };
      }
      default:
        return target satisfies never;
    }
  }

  /** What a swap removes: all rows, but in an adopted table that is appended to only the files that this pipeline wrote. */
  #removal(table: Table): 'all' | ((file: DataFile) => boolean) {
    const { selected, pipeline } = this.#parts;
    if (!this.#adopted || selected.writeMode === 'overwrite') return 'all';
    return (file) => isFileOf(pipeline, table.metadata, file.filePath);
  }

  async #create(columns: Column[], primaryKey: string[]): Promise<Table> {
    const { catalog } = this.#parts;
    await catalog.createNamespace(this.#identifier.namespace);
    const { selected, pipeline, properties, folder } = this.#parts;
    const made = newTable({ columns, primaryKey, selected, pipeline, properties });
    const table = await catalog.createTable(this.#identifier, made);
    await folder?.settle(table, () => this.load());
    return table;
  }

  #checkOwner(table: Table): void {
    if (this.#seen !== undefined) return;
    const main = table.metadata.refs['main'];
    if (main === undefined) return;
    this.#adopted = true;
    if (this.#parts.selected.adopt) return;
    const name = [...this.#identifier.namespace, this.#identifier.name].join('.');
    const { stream } = this.#parts.selected;
    throw new ConnectorError('table_not_adopted', `Table ${name} has snapshots that this pipeline did not write.`, {
      stream,
    });
  }

  #requireUnchanged(found: string | undefined, attempt: number): void {
    if (found === this.#seen) return;
    const { pipeline, selected } = this.#parts;
    const newest = parseStreamProperty(found)?.attempt ?? 0;
    if (newest > attempt) throw fenced(pipeline, attempt, newest);
    throw new ConnectorError(
      'commit_conflict',
      `Another run of pipeline ${pipeline} committed to stream ${selected.stream} after this one had read its state.`,
      { stream: selected.stream },
    );
  }
}

/** Drops, in the same commit, what an abandoned generation staged on a branch of its own. */
function withoutStale(table: Table, branch: string, changes: BuiltChanges): BuiltChanges {
  const prefix = branch.slice(0, branch.lastIndexOf('-') + 1);
  const stale = Object.keys(table.metadata.refs).filter((name) => name.startsWith(prefix) && name !== branch);
  const removals = stale.map((name) => stageBranchRemoval(table, name));
  return {
    ...changes,
    updates: [...removals.flatMap(({ updates }) => updates), ...changes.updates],
    requirements: [...removals.flatMap(({ requirements }) => requirements), ...changes.requirements],
  };
}
