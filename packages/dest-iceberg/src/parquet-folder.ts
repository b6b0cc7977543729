import { ConnectorError, type SelectedStream } from '@fjord/core';
import { copyFile, dataFolder, type DataFile, planFiles, type Table } from '@fjord/iceberg';
import type { Config } from './config.ts';
import { Limit } from './limit.ts';

/** The folder below the warehouse that keeps, for plain Parquet, what was committed and what is not yet: readers pass over such names. */
export const LEDGER_FOLDER = '_fjord';

/** Files moved at once. */
const PARALLEL_FILES = 8;
/** Names that this package gives: those of others are left alone. */
const OWN_NAME = /(?:^|\/)(?:changes-)?g\d+[^/]*-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d{5}\.parquet$/;

/** A stream as a folder of plain files can hold it: its columns go by name. Refuses one that must replace rows. */
export function asPlainFiles(selected: SelectedStream): SelectedStream {
  const { stream, writeMode } = selected;
  if (writeMode !== 'upsert') return { ...selected, onRename: 'new-column' };
  throw new ConnectorError(
    'config_invalid',
    `Stream ${stream} is upserted, and plain Parquet files cannot have rows replaced in them.`,
    {
      stream,
      help: 'Set `format: iceberg` for the destination, or `writeMode: append` or `overwrite` for the stream.',
    },
  );
}

/** Refuses a verb that reads rows by a table: those of plain files are not where a table would say. */
export function refusePlainFiles({ format }: Pick<Config, 'format'>, verb: 'query' | 'verify'): void {
  if (format !== 'parquet') return;
  throw new ConnectorError('unsupported', `Plain Parquet files are read where they lie, not by fjord ${verb}.`, {
    help: "Ask DuckDB: SELECT … FROM read_parquet('WAREHOUSE/NAMESPACE/NAME/**/*.parquet', union_by_name = true).",
  });
}

/**
 * The folder in which readers without a catalog find a table's Parquet files. Files are written beside it, committed in a ledger, and then
 * moved in: so that after any crash the next run can tell which files belong there.
 */
export class ParquetFolder {
  readonly #limit = new Limit(PARALLEL_FILES);

  /** Moves in files that were just committed. */
  async add(table: Table, files: readonly DataFile[]): Promise<void> {
    await this.#all(files, (file) => this.#move(table, file.filePath));
  }

  /**
   * Makes the folder of a table hold what the ledger says: what is missing is moved in, and then what was replaced goes. The ledger is read
   * (by `load`) when the folder was listed: what another run moves in meanwhile is not taken for replaced.
   */
  async settle({ location, io }: Table, load: () => Promise<Table>): Promise<void> {
    const folder = folderOf({ location });
    const there = new Set<string>();
    for await (const file of io.list(folder)) there.add(file.location.slice(folder.length + 1));
    const table = await load();
    const wanted = new Set<string>();
    const missing: string[] = [];
    for await (const { file } of planFiles(table)) {
      const name = nameOf(table, file.filePath);
      wanted.add(name);
      if (!there.has(name)) missing.push(file.filePath);
    }
    await this.#all(missing, (path) => this.#move(table, path));
    const replaced = [...there].filter((name) => OWN_NAME.test(name) && !wanted.has(name));
    await this.#all(replaced, (name) => table.io.delete(`${folder}/${name}`));
  }

  async #move(table: Table, path: string): Promise<void> {
    const place = `${folderOf(table)}/${nameOf(table, path)}`;
    // Found there by name: a move that was cut off after the copy.
    if (!(await table.io.exists(place))) await copyFile(table.io, path, place);
    await table.io.delete(path);
  }

  async #all<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    await Promise.all(items.map((item) => this.#limit.run(() => work(item))));
  }
}

/** The folders of the partition and the file's name: all behind the pipeline's folder, before which a layout for object stores has a hash. */
function nameOf({ metadata }: Table, path: string): string {
  const below = path.slice(dataFolder(metadata).length + 1).replace(/^(?:[01]{4}\/){3}[01]{8}\//, '');
  return below.slice(below.indexOf('/') + 1);
}

/** Where a table's files are read: `warehouse/namespace/name`, for the ledger `warehouse/_fjord/namespace/name`. */
export function folderOf({ location }: Pick<Table, 'location'>): string {
  const at = location.lastIndexOf(`/${LEDGER_FOLDER}/`);
  return `${location.slice(0, at)}${location.slice(at + LEDGER_FOLDER.length + 1)}`;
}
