import type { Column } from '@fjord/core';
import {
  type Catalog,
  commitTable,
  createPartitionSpec,
  type DataFile,
  openSqlCatalog,
  planFiles,
  PositionSet,
  stageSnapshot,
  type Table,
  writeRowDeletes,
} from '@fjord/iceberg';
import { temporaryFolder } from '@fjord/test-harness';
import { KeyIndexes } from '../../src/changes/key-indexes.ts';
import { schemaForColumns } from '../../src/table-schema.ts';
import { type MaintenanceReport, maintainTable } from '../../src/maintenance/maintain-table.ts';
import type { MaintenanceOptions } from '../../src/maintenance/maintenance-config.ts';
import { openParquetPool, type ParquetPool } from '../../src/parquet/sink.ts';
import { batchOf } from '../parquet/batches.ts';

export const COLUMNS: Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'name', type: 'string', nullable: true },
  { name: 'kind', type: 'int', nullable: false },
];
export const IDENTIFIER = { namespace: ['db'], name: 's' };
export const OPTIONS: MaintenanceOptions = {
  snapshotAgeHours: 0,
  snapshotsToKeep: 1,
  orphanAgeHours: 72,
  minInputFiles: 2,
  deletedShare: 0.3,
  whileFollowing: true,
  filesWhileFollowing: 30,
  snapshotsWhileFollowing: 300,
};

/** A table in a folder of its own, with what is needed to write to it, delete from it and maintain it. */
export class TableScene implements AsyncDisposable {
  readonly folder: string;
  readonly catalog: Catalog;
  readonly pool: ParquetPool;
  readonly indexes = new KeyIndexes({ memoryBytes: 2 ** 20, diskBytes: 0 });
  readonly #close: () => Promise<void>;

  private constructor(parts: { folder: string; catalog: Catalog; pool: ParquetPool; close: () => Promise<void> }) {
    [this.folder, this.catalog, this.pool, this.#close] = [parts.folder, parts.catalog, parts.pool, parts.close];
  }

  static async open(
    formatVersion: number,
    partition: string[] = [],
    { rowGroupRows = 100 }: { rowGroupRows?: number } = {},
  ): Promise<TableScene> {
    const folder = await temporaryFolder('fjord-maintain');
    const catalog = await openSqlCatalog({
      uri: `sqlite:///${folder.path}/catalog.db`,
      name: 'fjord',
      warehouse: folder.path,
    });
    await catalog.createNamespace(IDENTIFIER.namespace);
    const schema = schemaForColumns(COLUMNS, ['id']);
    const properties = { 'format-version': String(formatVersion) };
    await catalog.createTable(IDENTIFIER, {
      schema,
      properties,
      partitionSpec: createPartitionSpec(schema, partition),
    });
    const pool = openParquetPool({ workers: 2, memoryBytes: 2 ** 24, io: {}, rowGroupRows });
    const close = async () => {
      await pool[Symbol.asyncDispose]();
      await catalog[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
    return new TableScene({ folder: folder.path, catalog, pool, close });
  }

  async table(): Promise<Table> {
    const table = await this.catalog.loadTable(IDENTIFIER);
    if (!table) throw new Error('the table is gone');
    return table;
  }

  /** Writes a file with rows of these ids, which is not yet the table's. */
  async write(ids: readonly number[], partition?: DataFile['partition']): Promise<DataFile[]> {
    const { metadata } = await this.table();
    const fields = metadata.schemas.at(-1)!.fields;
    const writer = this.pool.openFile({ prefix: `${metadata.location}/data/p/g1-a`, fields });
    await writer.write(
      batchOf(
        COLUMNS,
        ids.map((id) => ({ id: String(id), name: id % 5 === 0 ? null : `n${id}`, kind: id % 2 })),
      ),
    );
    const files = await writer.close();
    return files.map((file) => ({ ...file, ...(partition && { partition }) }));
  }

  async append(ids: readonly number[], partition?: DataFile['partition']): Promise<void> {
    const append = await this.write(ids, partition);
    await commitTable(this.catalog, IDENTIFIER, (table) => stageSnapshot(table, { append }));
  }

  /** Deletes the rows at some positions of each live file. */
  async deleteAt(positions: readonly number[], isWanted: (file: DataFile) => boolean = () => true): Promise<void> {
    await commitTable(this.catalog, IDENTIFIER, async (table) => {
      const scanned = (await Array.fromAsync(planFiles(table))).filter(({ file }) => isWanted(file));
      const deletes = scanned.map((scanFile) => ({ scanFile, positions: PositionSet.of(positions) }));
      const { append, remove } = await writeRowDeletes(table, deletes);
      return stageSnapshot(table, { append, remove: { deletes: remove } });
    });
  }

  /** Deletes rows by their ids, in whatever files of earlier commits they are. */
  async deleteByKey(ids: readonly number[]): Promise<void> {
    const { metadata } = await this.table();
    const fields = metadata.schemas.at(-1)!.fields.slice(0, 1);
    const writer = this.pool.openFile({ prefix: `${metadata.location}/data/p/keys`, fields });
    await writer.write(
      batchOf(
        COLUMNS.slice(0, 1),
        ids.map((id) => ({ id: String(id) })),
      ),
    );
    const files = (await writer.close()).map((file): DataFile => {
      return { ...file, content: 'equality-deletes', equalityIds: [1] };
    });
    await commitTable(this.catalog, IDENTIFIER, (table) => stageSnapshot(table, { append: files }));
  }

  async maintain(over: Partial<MaintenanceOptions> & { isDryRun?: boolean } = {}): Promise<MaintenanceReport> {
    const { isDryRun = false, ...options } = over;
    const report = await maintainTable({
      catalog: this.catalog,
      identifier: IDENTIFIER,
      pool: this.pool,
      indexes: this.indexes,
      options: { ...OPTIONS, ...options },
      targetFileBytes: 2 ** 20,
      isDryRun,
      signal: new AbortController().signal,
    });
    if (!report) throw new Error('the table is gone');
    return report;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
